import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { PaymentMethod_Mock_Behaviour as Behaviour } from "#gen/common/v1/payment_method_pb.ts";
import { PaymentService, PaymentStatus, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { nameOf } from "#test/e2e/payment.support.ts";
import type { Site } from "./stand.ts";

const { OK, CALLBACK, FLAKY, DECLINE, HANG } = Behaviour;
const { APPLY_THEN_DROP, DUPLICATE_CALLBACK, LATE_CALLBACK, FORGED_CALLBACK } = Behaviour;

/** Everything the provider can do but to never call back. */
const BEHAVIOURS = [
  ...[OK, CALLBACK, FLAKY, DECLINE, HANG],
  ...[APPLY_THEN_DROP, DUPLICATE_CALLBACK, LATE_CALLBACK, FORGED_CALLBACK],
];
/** Behaviours whose end is known soon: their customers wait for it, so that final answers are given before a kill. */
const AWAITED: readonly Behaviour[] = [OK, DECLINE];

const ACCOUNTS = 4;
const FUNDS = 100_000n;
const AMOUNT = 7n;
const PARALLEL = 16;
/** A customer that gets no answer asks again with the same request id, this long. */
const PATIENCE_MS = 90_000;
const RETRY_MS = 100;

/** What a client may meet while the stack is killed: no answer, so the outcome is not known. */
const UNKNOWN_OUTCOME: readonly Code[] = [
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Aborted,
];

/** People who pay, and write down every answer they get. */
export interface Customers {
  readonly accounts: readonly string[];
  /** File with one acknowledged answer per line, as `settle audit --acks` reads it. */
  readonly acks: string;
  /** Payment ids by behaviour, as far as they were acknowledged. */
  readonly paid: ReadonlyMap<Behaviour, readonly string[]>;
  acknowledged(): number;
  /** Makes so many more payments, of all behaviours in turn; each is asked for until it is acknowledged. */
  payAll(count: number): Promise<void>;
}

/** Opens their accounts. */
export async function openAccounts(site: Site): Promise<Customers> {
  const name = randomUUID().slice(0, 8);
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => `payer-${name}-${index}`);
  const ledger = createPeer(AccountService, site.url("account"));
  for (const accountId of accounts) {
    await ledger.createAccount({ account: { accountId, currencyCode: "USD" } });
    const amount = { currencyCode: "USD", minorUnits: FUNDS };
    await ledger.credit({ transactionId: `fund-${accountId}`, accountId, amount });
  }
  const acks = path.join(site.dataDir, "acks.jsonl");
  const paid = new Map<Behaviour, string[]>(BEHAVIOURS.map((behaviour) => [behaviour, []]));
  let begun = 0;
  const pay = async (turn: number): Promise<void> => {
    const behaviour = BEHAVIOURS[turn % BEHAVIOURS.length] ?? OK;
    const accountId = accounts[turn % ACCOUNTS] ?? "";
    const ack = await payPatiently(site, `request-${name}-${turn}`, accountId, behaviour);
    appendFileSync(acks, `${JSON.stringify(ack)}\n`);
    paid.get(behaviour)?.push(ack.payment_id);
  };
  return {
    accounts,
    acks,
    paid,
    acknowledged: () => [...paid.values()].reduce((sum, ids) => sum + ids.length, 0),
    async payAll(count) {
      const turns = Array.from({ length: count }, (_, index) => begun + index).values();
      begun += count;
      const customer = async (): Promise<void> => {
        for (const turn of turns) await pay(turn);
      };
      await Promise.all(Array.from({ length: PARALLEL }, customer));
    },
  };
}

async function payPatiently(
  site: Site,
  requestId: string,
  accountId: string,
  behaviour: Behaviour,
) {
  const request = {
    requestId,
    accountId,
    amount: { currencyCode: "USD", minorUnits: AMOUNT },
    paymentMethod: {
      method: { case: "mock" as const, value: { behaviour, flakyAttempts: 2 } },
    },
    waitUntil: AWAITED.includes(behaviour) ? WaitUntil.COMPLETED : WaitUntil.ACCEPTED,
  };
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const payments = createPeer(PaymentService, site.url("payment"));
      const { payment } = await payments.create(request, { timeoutMs: 10_000 });
      const status = nameOf(PaymentStatus, payment?.status);
      return { request_id: requestId, payment_id: payment?.paymentId ?? "", status };
    } catch (error) {
      if (!(error instanceof ConnectError) || !UNKNOWN_OUTCOME.includes(error.code)) throw error;
      if (Date.now() > deadline) throw error;
      await pause(RETRY_MS);
    }
  }
}

/** What an account must hold when exactly these payments were taken from it. */
export function fundsLeft(succeeded: number): bigint {
  return FUNDS - AMOUNT * BigInt(succeeded);
}
