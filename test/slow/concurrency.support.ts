import type { Client } from "@connectrpc/connect";
import { PaymentService, WaitUntil } from "#gen/payment/v1/payment_pb.ts";
import { createPlatform } from "#kit/platform.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { readPaymentConfig } from "#services/payment/config.ts";
import { startPaymentService } from "#services/payment/service.ts";
import { type Behaviour, endOf, mock, QUICK, usd } from "#test/e2e/payment.support.ts";
import { type Stack, startStack } from "#test/support/stack.ts";

/** Two Payment instances over one set of books, so that both ways to check fraud run at the same time. */
export interface MixedStack extends AsyncDisposable {
  readonly stack: Stack;
  /** One instance checks fraud in a child workflow, the other inline. */
  readonly payments: readonly Client<typeof PaymentService>[];
}

/** Starts the services, Payment twice: `child` as everywhere, and `inline`. */
export async function startMixedStack(): Promise<MixedStack> {
  const stack = await startStack({ ...QUICK, SETTLE_FRAUD_MODE: "child" });
  const inline = { ...readPaymentConfig({ ...stack.env, SETTLE_FRAUD_MODE: "inline" }), port: 0 };
  const platform = createPlatform(inline);
  const second = await startPaymentService(inline, platform);
  return {
    stack,
    payments: [stack.payment, createPeer(PaymentService, `http://${second.address}`)],
    async [Symbol.asyncDispose]() {
      await second[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** How many payments ended how, for example `{ SUCCEEDED: 320 }` or with the reason of a failure. */
export type Ends = Readonly<Record<string, number>>;

/**
 * Every client pays one unit after the other from the same account, with the provider behaving as listed, in turn; counts
 * how the payments ended.
 */
export async function payOneByOne(
  { stack, payments }: MixedStack,
  accountId: string,
  load: {
    readonly clients: number;
    readonly each: number;
    readonly behaviours: readonly Behaviour[];
  },
): Promise<Ends> {
  const { behaviours } = load;
  const ends = new Map<string, number>();
  await Promise.all(
    Array.from({ length: load.clients }, async (_, client) => {
      const service = payments[client % payments.length];
      if (service === undefined) throw new Error("no service");
      for (let turn = 0; turn < load.each; turn += 1) {
        const behaviour = behaviours[(client + turn) % behaviours.length];
        const request = {
          requestId: `${accountId}:${client}:${turn}`,
          accountId,
          amount: usd(1n),
          waitUntil: WaitUntil.COMPLETED,
          ...(behaviour === undefined ? {} : { paymentMethod: mock(behaviour) }),
        };
        const { payment } = await service.create(request, { timeoutMs: 30_000 });
        const end = await endOf(stack, payment?.paymentId ?? "");
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
    }),
  );
  return Object.fromEntries([...ends].sort());
}
