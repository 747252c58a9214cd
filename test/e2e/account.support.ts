import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import type { Env } from "#kit/config.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readAccountConfig } from "#services/account/config.ts";
import { startAccountService } from "#services/account/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";

/** The Account service on a port of its own, and a client. */
export interface AccountAlone extends AsyncDisposable {
  readonly alone: Alone;
  readonly account: Client<typeof AccountService>;
}

/** Starts it without a worker unless the test's environment says otherwise. */
export async function startAccount(env: Env = {}): Promise<AccountAlone> {
  const settings = { SETTLE_ACCOUNT_WORKER: "0", ...env };
  const alone = await startAlone(readAccountConfig, startAccountService, settings);
  return {
    alone,
    get account() {
      return createPeer(AccountService, alone.url);
    },
    [Symbol.asyncDispose]: () => alone[Symbol.asyncDispose](),
  };
}

/** Opens an account with a balance and nobody's name. */
export async function openFunded(
  account: Client<typeof AccountService>,
  accountId: string,
  minorUnits: bigint,
): Promise<void> {
  await account.createAccount({ account: { accountId, currencyCode: "USD" } });
  const amount = usd(minorUnits);
  await account.credit({ transactionId: `fund-${accountId}`, accountId, amount });
}

/** Code and reason of a call that must fail, for example `NotFound ACCOUNT_NOT_FOUND`. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return `${Code[error.code]} ${reasonOf(error)}`;
    throw error;
  }
  return "no failure";
}

/** An amount of dollars in cents. */
export function usd(minorUnits: bigint): { currencyCode: string; minorUnits: bigint } {
  return { currencyCode: "USD", minorUnits };
}
