import type { Client as RpcClient } from "@connectrpc/connect";
import type { Db } from "mongodb";
import type { AccountService } from "#gen/account/v1/account_pb.ts";
import type { NotificationService } from "#gen/notification/v1/notification_pb.ts";
import type { Log } from "#kit/log.ts";
import type { PaymentPolicy } from "../domain/policy.ts";
import type { PaymentFeed } from "../store/feed.ts";
import type { Workflows } from "./workflows.ts";

/** What Payment's application needs; made once in `service.ts`. */
export interface PaymentDeps {
  readonly db: Db;
  readonly feed: PaymentFeed;
  readonly workflows: Workflows;
  readonly account: RpcClient<typeof AccountService>;
  readonly notification: RpcClient<typeof NotificationService>;
  readonly policy: PaymentPolicy;
  readonly gatewaySecrets: readonly string[];
  /** How old an open payment is before the sweeper looks at it, in milliseconds. */
  readonly sweepAfterMs: number;
  readonly log: Log;
}
