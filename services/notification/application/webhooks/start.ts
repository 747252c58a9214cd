import { startLoop } from "#kit/loop.ts";
import type { WebhookDeps, WebhookSenderDeps } from "./deps.ts";
import { WebhookSender } from "./sender.ts";

/** Messages one round of the outbox looks at. */
const OUTBOX_BATCH = 200;

/** Webhooks at work. Disposing ends what is being sent and waits for it. */
export interface Webhooks extends AsyncDisposable {
  readonly deps: WebhookDeps;
}

/** Starts the two loops: one makes deliveries of stored messages, one sends what is due. */
export function startWebhooks(
  deps: WebhookSenderDeps,
  options: { readonly overlapMs: number; readonly intervalMs: number },
): Webhooks {
  const { webhooks, log, clock, outbound, sealer } = deps;
  const { intervalMs, overlapMs } = options;
  const sender = new WebhookSender(deps, () => sending.poke());
  const sending = startLoop({
    name: "webhook-sender",
    intervalMs,
    log,
    run: (signal) => sender.begin(signal),
  });
  const outbox = startLoop({
    name: "webhook-outbox",
    intervalMs,
    log,
    async run(signal) {
      let seen = OUTBOX_BATCH;
      while (!signal.aborted && seen === OUTBOX_BATCH) {
        seen = await webhooks.fanOut(OUTBOX_BATCH, clock());
        if (seen > 0) sending.poke();
      }
    },
  });
  return {
    deps: { webhooks, log, clock, outbound, sealer, overlapMs, wakeSender: () => sending.poke() },
    async [Symbol.asyncDispose]() {
      await outbox.stop();
      await sending.stop();
      await sender.idle();
    },
  };
}
