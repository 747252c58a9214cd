/** What a caller may do; the names are those of `common.v1.Role` without their prefix. */
export type Role = "payer" | "merchant" | "reviewer" | "operator" | "service";

/** Every role there is. */
export const ALL_ROLES: readonly Role[] = ["payer", "merchant", "reviewer", "operator", "service"];

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
  /** The only accounts this call may see or use; absent: all of the tenant. Set for callers that are mere payers. */
  readonly accounts?: readonly string[];
}

/** Whether a call may see or use an account. Where not, the account does not exist for it: NOT_FOUND, never DENIED. */
export function mayUse(scope: Pick<Scope, "accounts">, accountId: string): boolean {
  return scope.accounts === undefined || scope.accounts.includes(accountId);
}

/** The scope of work that no caller asked for (sweepers, seeds, activities) inside one tenant. */
export function serviceScope(tenant: string): Scope {
  return { tenant, subject: "settle", roles: ["service"] };
}
