import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import {
  type GatewayService,
  type Transaction,
  TransactionState,
} from "#gen/gateway/v1/gateway_pb.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { onBehalfOf } from "#kit/rpc/client.ts";
import { definiteReason } from "#kit/rpc/errors.ts";
import type { GatewayReader } from "../application/books.ts";
import type { GatewayBook } from "../domain/books.ts";

const PAGE_SIZE = 1000;

/** Reads the provider's book by its API. */
export function gatewayReader(client: Client<typeof GatewayService>): GatewayReader {
  return {
    transactions: (scope, signal) => listTransactions(client, scope, signal),
    async transaction(scope, authorizationKey, signal) {
      try {
        const { transaction } = await client.getTransaction(
          { authorizationKey },
          onBehalfOf(scope, { signal }),
        );
        return transaction && gatewayBook(transaction);
      } catch (error) {
        if (definiteReason(error, ["GATEWAY_TRANSACTION_NOT_FOUND"])) return undefined;
        throw unavailable(error);
      }
    },
  };
}

async function* listTransactions(
  client: Client<typeof GatewayService>,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<readonly GatewayBook[]> {
  let pageToken = "";
  do {
    const page = await client
      .listTransactions({ pageSize: PAGE_SIZE, pageToken }, onBehalfOf(scope, { signal }))
      .catch((error: unknown) => {
        throw unavailable(error);
      });
    yield page.transactions.map(gatewayBook);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
}

function unavailable(error: unknown): Refusal {
  return new Refusal("GATEWAY_UNAVAILABLE", { cause: error });
}

const stateNames = new Map<number, string>(
  Object.entries(TransactionState).map(([name, value]) => [value, name]),
);

function gatewayBook(transaction: Transaction): GatewayBook {
  const { amount, capturedAmount, refundedAmount, updateTime } = transaction;
  return {
    authorizationKey: transaction.authorizationKey,
    merchantReference: transaction.merchantReference,
    currencyCode: amount?.currencyCode ?? "",
    amount: amount?.minorUnits ?? 0n,
    capturedAmount: capturedAmount?.minorUnits ?? 0n,
    refundedAmount: refundedAmount?.minorUnits ?? 0n,
    state: stateNames.get(transaction.state) ?? String(transaction.state),
    updateTime: updateTime ? timestampDate(updateTime) : new Date(0),
  };
}
