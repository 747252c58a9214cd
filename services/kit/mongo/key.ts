import type { Scope } from "../pure/scope.ts";

/** Key of every document: ids are unique within a tenant. */
export interface Key {
  readonly tenant: string;
  readonly id: string;
}

/** Makes a document key. Field order matters to MongoDB's equality, so keys are made here only. */
export function key(scope: Pick<Scope, "tenant">, id: string): Key {
  return { tenant: scope.tenant, id };
}
