import type { Client } from "@connectrpc/connect";
import type { AccountService } from "#gen/account/v1/account_pb.ts";
import {
  Channel,
  type NotificationService,
  Template,
} from "#gen/notification/v1/notification_pb.ts";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import type { Peers } from "../application/peers.ts";

/** One owner has one account per currency, so this is more than anybody has. */
const ACCOUNTS_MAX = 1_000;
/** The sweeper waits for this call, and payments wait for the sweeper: a Notification that hangs must not hold it up. */
const NOTICE_TIMEOUT_MS = 2_000;

/** The application's peers, over gRPC. */
export function grpcPeers(clients: {
  readonly account: Client<typeof AccountService>;
  readonly notification: Client<typeof NotificationService>;
}): Peers {
  const accountsOf: Peers["accountsOf"] = async (scope, ownerId) => {
    const request = { ownerId, pageSize: ACCOUNTS_MAX };
    const { accounts } = await clients.account.listAccounts(request, onBehalfOf(scope));
    return accounts;
  };
  return {
    accountsOf,
    async accountOf(scope, ownerId, currencyCode) {
      const accounts = await accountsOf(scope, ownerId);
      return accounts.find((account) => account.currencyCode === currencyCode)?.accountId;
    },
    async currencyOf(scope, accountId) {
      const { account } = await clients.account.getAccount({ accountId }, onBehalfOf(scope));
      return account?.currencyCode ?? "";
    },
    async sendNotice(tenant, notice) {
      const channel = Channel[notice.channel];
      const template = Template[notice.template];
      const options = onBehalfOf({ tenant }, { timeoutMs: NOTICE_TIMEOUT_MS });
      try {
        await clients.notification.send({ ...notice, channel, template }, options);
      } catch (error) {
        // Stored before, by a version that worded it otherwise: the payer is told once all the same.
        if (reasonOf(error) !== "NOTIFICATION_ID_REUSED") throw error;
      }
    },
  };
}
