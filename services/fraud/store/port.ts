import type { ListQuery } from "#kit/list/spec.ts";
import type { Scope } from "#kit/pure/scope.ts";
import type { Check } from "../domain/check.ts";
import type { Settings, VersionedSettings } from "../domain/settings.ts";
import type { TallyRef } from "../domain/tally.ts";

/** Whose data; a store needs no more of the scope. */
export type Tenant = Pick<Scope, "tenant">;

/** What one transaction writes; nothing of it is seen before all of it is durable on a majority. */
export interface Changes {
  readonly inserted: readonly Check[];
  readonly updated: readonly Check[];
  readonly tallyMoves: readonly { readonly ref: TallyRef; readonly delta: bigint }[];
}

/** Reads and writes within one transaction: what is read here is still true when the writes commit. */
export interface Transaction {
  /** The checks that exist, by id. */
  checks(ids: readonly string[]): Promise<ReadonlyMap<string, Check>>;
  /** Sums by `tallyName`; an account never seen is missing and counts 0. */
  tallies(refs: readonly TallyRef[]): Promise<ReadonlyMap<string, bigint>>;
  settings(): Promise<VersionedSettings>;
  write(changes: Changes): Promise<void>;
}

/** Fraud's database. */
export interface FraudStore {
  /** Runs once more from the start when another writer was faster, 5 s at most; then fails with WRITE_CONFLICT. */
  transact<T>(tenant: Tenant, run: (transaction: Transaction) => Promise<T>): Promise<T>;
  findCheck(tenant: Tenant, id: string): Promise<Check | undefined>;
  /** The newest check of a payment. */
  findCheckOfPayment(tenant: Tenant, paymentId: string): Promise<Check | undefined>;
  listChecks(tenant: Tenant, query: ListQuery): Promise<readonly Check[]>;
  /** The stored rules, or those of the configuration while nobody has replaced them. */
  readSettings(tenant: Tenant): Promise<StoredSettings>;
  /** Replaces version `expected`; false when it is no longer the present one. */
  replaceSettings(tenant: Tenant, settings: Settings, replace: Replace): Promise<boolean>;
}

/** Settings with the call that made them. */
export interface StoredSettings extends VersionedSettings {
  /** Empty for those of the configuration. */
  readonly callId: string;
}

/** What `replaceSettings` depends on. */
export interface Replace {
  readonly expectedVersion: bigint;
  readonly callId: string;
}
