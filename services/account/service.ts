import type { Db } from "mongodb";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { once, requestsMigrations, requestsRetention } from "#kit/idempotency/request.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { Platform } from "#kit/platform.ts";
import { createLocalPeer } from "#kit/rpc/local.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import type { StartService } from "#kit/service.ts";
import { type RunningWorker, startWorker } from "#kit/temporal/worker.ts";
import { createAccountActivities } from "./activities/index.ts";
import { GroupCommit } from "./application/group-commit.ts";
import { seedDemoAccounts } from "./application/seed-demo-accounts.ts";
import type { AccountConfig } from "./config.ts";
import { ACCOUNT_TASK_QUEUE } from "./contract.ts";
import { accountReasons } from "./reasons.ts";
import { type AccountRpcDeps, accountRoutes } from "./rpc/router.ts";
import { createAccountStore } from "./store/account-store.ts";
import { createLedgerStore } from "./store/ledger.ts";
import { accountMigrations } from "./store/migrations.ts";

/** Starts the Account service: migrations, group commit, demo accounts when asked for, port, worker. */
export const startAccountService: StartService<AccountConfig> = async (config, platform) => {
  const log = platform.log.child({ service: "account" });
  const db = await platform.database("account");
  await migrate(
    db,
    [...accountMigrations, ...requestsMigrations],
    [requestsRetention(config.requestsKeptMs)],
  );
  const now = (): Date => new Date();
  const ledger = createLedgerStore({ client: await platform.mongo(), db, now });
  const committer = new GroupCommit({ ledger, log });
  const deps: AccountRpcDeps = {
    store: createAccountStore(db),
    ledger: committer,
    now,
    once: (scope, claim, run) => once(db, scope, { ...claim, reasons: accountReasons }, run),
  };
  if (config.seedDemo && (await seedDemoAccounts(deps))) log.info("demo accounts opened");
  const server = await startRpcServer({
    host: config.host,
    port: config.port,
    services: [AccountService],
    routes: accountRoutes(deps),
    reasons: accountReasons,
    log,
    security: platform.security,
    ready: () => ping(db),
  });
  const worker = config.worker ? await startAccountWorker(config, platform, deps) : undefined;
  return {
    name: "account",
    address: server.address,
    async [Symbol.asyncDispose]() {
      await worker?.stop();
      await server.close();
      await committer[Symbol.asyncDispose]();
    },
  };
};

async function startAccountWorker(
  config: AccountConfig,
  platform: Platform,
  deps: AccountRpcDeps,
): Promise<RunningWorker> {
  const { connection, dataConverter } = await platform.temporal();
  const account = createLocalPeer(AccountService, accountRoutes(deps), accountReasons);
  return startWorker({
    connection,
    dataConverter,
    namespace: config.temporalNamespace,
    taskQueue: ACCOUNT_TASK_QUEUE,
    activities: createAccountActivities({ account }),
    log: platform.log,
  });
}

async function ping(db: Db): Promise<void> {
  await db.command({ ping: 1 });
}
