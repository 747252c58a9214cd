import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { CreditRequest, CreditResponseSchema } from "#gen/account/v1/account_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { credit } from "../application/credit.ts";
import { moneyOf, transferToMessage } from "./mapping.ts";
import type { AccountRpcDeps } from "./router.ts";

export async function handleCredit(
  deps: AccountRpcDeps,
  request: CreditRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof CreditResponseSchema>> {
  const amount = moneyOf(request.amount);
  const { transactionId, accountId, reference, counterAccountId } = request;
  const input = { transactionId, accountId, reference, counterAccountId, amount };
  const { transfer, balanceAfter } = await credit(deps, scopeOf(context), input);
  const { currencyCode } = amount;
  return {
    transfer: transferToMessage(transfer),
    ...(balanceAfter === null ? {} : { balance: { currencyCode, minorUnits: balanceAfter } }),
  };
}
