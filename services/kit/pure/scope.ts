/** What a caller may do; the names are those of `common.v1.Role` without their prefix. */
export type Role = "payer" | "merchant" | "reviewer" | "operator" | "service";

/**
 * On whose behalf something is done. Every store query takes it as its first argument, so that
 * no query can be written that forgets the tenant.
 */
export interface Scope {
  /** Owner of every document; `default` in development. */
  readonly tenant: string;
  /** Who calls; `dev` in development. */
  readonly subject: string;
  readonly roles: readonly Role[];
}

/** The scope of work that no caller asked for (sweepers, seeds, activities) inside one tenant. */
export function serviceScope(tenant: string): Scope {
  return { tenant, subject: "settle", roles: ["service"] };
}
