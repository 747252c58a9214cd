import type { Db, Document } from "mongodb";
import { GatewayService } from "#gen/gateway/v1/gateway_pb.ts";
import {
  type AuditResponse,
  InvariantResult,
  ReportingService,
} from "#gen/reporting/v1/reporting_pb.ts";
import type { Env } from "#kit/config.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { createPeer } from "#kit/rpc/client.ts";
import type { RunningService } from "#kit/service.ts";
import { accountMigrations } from "#services/account/store/migrations.ts";
import { fraudMigrations } from "#services/fraud/store/migrations.ts";
import { readGatewayConfig } from "#services/gateway/config.ts";
import { startGatewayService } from "#services/gateway/service.ts";
import { notificationMigrations } from "#services/notification/store/migrations.ts";
import { paymentMigrations } from "#services/payment/store/migrations.ts";
import { readReportingConfig } from "#services/reporting/config.ts";
import { startReportingService } from "#services/reporting/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

/** Where a document lies: database and collection. */
export type Place = `${"account" | "fraud" | "gateway" | "notification" | "payment"}.${string}`;

/** Books of all services with a real gateway and a real Reporting over them. */
export interface AuditStand extends AsyncDisposable {
  readonly reportingUrl: string;
  readonly gatewayUrl: string;
  /** One more Reporting over the same books, in another environment. */
  startReporting(env: Env): Promise<RunningService>;
  audit(acks?: readonly Ack[]): ReturnType<ReturnType<typeof reportingClient>["audit"]>;
  collection(place: Place): Promise<ReturnType<Db["collection"]>>;
  /** Empties all books and writes these. */
  fill(books: ReadonlyMap<Place, readonly Document[]>): Promise<void>;
  /** Changes one document behind the back of every check. */
  change(place: Place, id: string, update: Document): Promise<void>;
  gateway(): ReturnType<typeof gatewayClient>;
}

/** An acknowledged answer. */
export interface Ack {
  readonly requestId: string;
  readonly paymentId: string;
  readonly status: string;
}

const reportingClient = (url: string) => createPeer(ReportingService, url);
const gatewayClient = (url: string) => createPeer(GatewayService, url);

/** Starts it on databases of its own, migrated by their owners' migrations, so that rows are what they store. */
export async function startAuditStand(): Promise<AuditStand> {
  const alone = await startAlone(readGatewayConfig, startGatewayService, {
    SETTLE_GATEWAY_SECRET: "a-secret-for-tests-only-0123456789",
  });
  const { platform, prefix } = alone;
  const histories = {
    account: accountMigrations,
    fraud: fraudMigrations,
    notification: notificationMigrations,
    payment: paymentMigrations,
  };
  for (const [name, history] of Object.entries(histories)) {
    await migrate(await platform.database(name), history);
  }
  const startReporting = (env: Env): Promise<RunningService> => {
    const config = readReportingConfig({ SETTLE_LOG_LEVEL: "silent", ...env });
    return startReportingService({ ...config, port: 0, databasePrefix: prefix }, platform);
  };
  const reporting = await startReporting({ SETTLE_URL_GATEWAY: alone.url });
  const reportingUrl = `http://${reporting.address}`;
  return {
    reportingUrl,
    gatewayUrl: alone.url,
    startReporting,
    audit: (acknowledgements = []) =>
      reportingClient(reportingUrl).audit({ acknowledgements: [...acknowledgements] }),
    collection: (place) => collectionAt(alone, place),
    async fill(books) {
      for (const [place, documents] of books) {
        const collection = await collectionAt(alone, place);
        await collection.deleteMany({});
        if (documents.length > 0) await collection.insertMany([...documents]);
      }
    },
    async change(place, id, update) {
      const collection = await collectionAt(alone, place);
      const options = { bypassDocumentValidation: true };
      const { matchedCount } = await collection.updateOne({ "_id.id": id }, update, options);
      if (matchedCount !== 1) throw new Error(`no ${id} in ${place}`);
    },
    gateway: () => gatewayClient(alone.url),
    async [Symbol.asyncDispose]() {
      await reporting[Symbol.asyncDispose]();
      await alone[Symbol.asyncDispose]();
    },
  };
}

async function collectionAt(
  { platform }: Alone,
  place: Place,
): Promise<ReturnType<Db["collection"]>> {
  const [database = "", name = ""] = place.split(".");
  return (await platform.database(database)).collection(name);
}

/** `{A2: ["alice"]}`: what is broken, and by whom. */
export function broken(response: AuditResponse): Record<string, string[]> {
  return Object.fromEntries(
    response.invariants
      .filter(({ result }) => result === InvariantResult.BROKEN)
      .map(({ id, violations }) => [id, violations.map((violation) => violation.id).sort()]),
  );
}
