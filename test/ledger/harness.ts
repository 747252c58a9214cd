import type { ClientSession, Db, MongoClient } from "mongodb";
import { createLog } from "#kit/log.ts";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { type Scope, serviceScope } from "#kit/pure/scope.ts";
import { GroupCommit, type GroupCommitLimits } from "#services/account/application/group-commit.ts";
import type { AccountDeps } from "#services/account/application/ports.ts";
import { createAccountStore } from "#services/account/store/account-store.ts";
import { createLedgerStore } from "#services/account/store/ledger.ts";
import { accountMigrations } from "#services/account/store/migrations.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

/** A ledger database of its own, with as many instances of the service's inside as a test wants. */
export interface LedgerHarness extends AsyncDisposable {
  readonly client: MongoClient;
  readonly db: Db;
  /** One more instance: a group commit and a cache of its own on the same database. */
  instance(options?: InstanceOptions): AccountDeps;
  /** A tenant no other test uses, so that one database serves them all. */
  tenant(): Scope;
}

/** What a test may bend in an instance. */
export interface InstanceOptions {
  readonly commit?: (session: ClientSession) => Promise<void>;
  readonly limits?: Partial<GroupCommitLimits>;
  readonly now?: () => Date;
}

/** Opens a database and migrates it; in the run's mongod unless the test brings one that may break. */
export async function openLedger(uri: string = mongoUri()): Promise<LedgerHarness> {
  const client = await connectMongo(uri);
  const db = client.db(`${freshPrefix()}_account`);
  await migrate(db, accountMigrations);
  const committers: GroupCommit[] = [];
  let tenants = 0;
  return {
    client,
    db,
    instance(options = {}) {
      const now = options.now ?? (() => new Date());
      const commit = options.commit ? { commit: options.commit } : {};
      const ledger = new GroupCommit({
        ledger: createLedgerStore({ client, db, now, ...commit }),
        log: createLog("silent"),
        ...(options.limits ? { limits: options.limits } : {}),
      });
      committers.push(ledger);
      return { store: createAccountStore(db), ledger, now };
    },
    tenant() {
      tenants += 1;
      return serviceScope(`tenant-${tenants}`);
    },
    async [Symbol.asyncDispose]() {
      for (const committer of committers) await committer[Symbol.asyncDispose]();
      await db.dropDatabase();
      await client.close();
    },
  };
}

/** Opens an account with any balance, past the cap on requests. */
export async function openWith(
  deps: AccountDeps,
  scope: Scope,
  account: { readonly id: string; readonly currencyCode: string; readonly minorUnits: bigint },
): Promise<void> {
  const { id, currencyCode, minorUnits } = account;
  const outcome = await deps.ledger.submit({
    kind: "OPENING",
    tenant: scope.tenant,
    id: `opening:${id}`,
    accountId: id,
    ownerId: "",
    amount: { currencyCode, minorUnits },
  });
  if (!outcome.ok) throw new Error(`account ${id} was not opened: ${outcome.reason}`);
}
