import { keyMigrations } from "#kit/auth/key-store.ts";
import { requestsMigrations, requestsRetention } from "#kit/idempotency/request.ts";
import type { Migration } from "#kit/mongo/migrate.ts";
import type { Retention } from "#kit/mongo/retention.ts";
import { accountMigrations } from "#services/account/store/migrations.ts";
import { fraudMigrations } from "#services/fraud/store/migrations.ts";
import { gatewayMigrations } from "#services/gateway/store/migrations.ts";
import { gatewayRetention } from "#services/gateway/store/retention.ts";
import { notificationMigrations } from "#services/notification/store/migrations.ts";
import { notificationRetention } from "#services/notification/store/retention.ts";
import { paymentMigrations } from "#services/payment/store/migrations.ts";
import { paymentRetention } from "#services/payment/store/retention.ts";

/** What everything is kept for in these tests, in milliseconds. */
export const DAY_MS = 86_400_000;
const requests = requestsRetention(DAY_MS);
const KEPT = {
  requestsKeptMs: DAY_MS,
  callbacksKeptMs: DAY_MS,
  tasksKeptMs: DAY_MS,
  messagesKeptMs: DAY_MS,
  inboxKeptMs: DAY_MS,
};
/** Every database with its history and what of it may go. */
export const DATABASES: readonly (readonly [string, readonly Migration[], readonly Retention[]])[] =
  [
    ["account", [...accountMigrations, ...requestsMigrations], [requests]],
    ["edge", keyMigrations, [requests]],
    ["fraud", fraudMigrations, [requests]],
    ["gateway", gatewayMigrations, gatewayRetention(DAY_MS)],
    ["notification", notificationMigrations, notificationRetention(KEPT)],
    ["payment", paymentMigrations, paymentRetention(KEPT)],
  ];
