import { ForbiddenTarget, postOutbound } from "#kit/outbound.ts";
import { SIGNATURE_HEADER, signWebhookByAll } from "#kit/webhook.ts";
import { retryPauseMs } from "../../domain/retry.ts";
import { activeSecrets, type Endpoint, type WebhookDelivery } from "../../domain/webhook.ts";
import type { AttemptOutcome, ClaimedDelivery } from "../../store/webhook-port.ts";
import type { WebhookSenderDeps } from "./deps.ts";
import { openSecret } from "./secrets.ts";

/** Longest text kept of an error. */
const ERROR_LENGTH_MAX = 300;

/**
 * Sends deliveries, many at once, few to one endpoint: one that is slow fills its own places only, and one that failed
 * last is tried one delivery at a time, so that endpoints that are down do not fill the places of all.
 */
export class WebhookSender {
  readonly #deps: WebhookSenderDeps;
  readonly #onEnd: () => void;
  readonly #running = new Set<Promise<void>>();
  readonly #places = new Map<string, number>();
  readonly #failing = new Set<string>();

  /** `onEnd` is called when a place became free. */
  constructor(deps: WebhookSenderDeps, onEnd: () => void) {
    this.#deps = deps;
    this.#onEnd = onEnd;
  }

  /** Begins to send what is due, as far as there are places; does not wait for the answers. */
  async begin(signal: AbortSignal): Promise<void> {
    const { webhooks, clock, policy } = this.#deps;
    while (!signal.aborted && this.#running.size < policy.concurrency) {
      const busyEndpoints = this.#busy();
      const claimed = await webhooks.claimDelivery({
        now: clock(),
        leaseMs: policy.leaseMs,
        busyEndpoints,
      });
      if (claimed === undefined) return;
      this.#launch(claimed, signal);
    }
  }

  /** Waits for everything that was begun. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #busy(): string[] {
    const { perEndpoint } = this.#deps.policy;
    return [...this.#places]
      .filter(([id, taken]) => taken >= (this.#failing.has(id) ? 1 : perEndpoint))
      .map(([id]) => id);
  }

  #launch(claimed: ClaimedDelivery, signal: AbortSignal): void {
    const { endpointId } = claimed.delivery;
    this.#places.set(endpointId, (this.#places.get(endpointId) ?? 0) + 1);
    const running = this.#attempt(claimed, signal).finally(() => {
      this.#running.delete(running);
      const left = (this.#places.get(endpointId) ?? 1) - 1;
      if (left === 0) this.#places.delete(endpointId);
      else this.#places.set(endpointId, left);
      this.#onEnd();
    });
    this.#running.add(running);
  }

  async #attempt(claimed: ClaimedDelivery, signal: AbortSignal): Promise<void> {
    const { webhooks, log, policy } = this.#deps;
    const { id: deliveryId, endpointId } = claimed.delivery;
    try {
      const outcome = await tryDelivery(this.#deps, claimed, signal);
      if (outcome.kind === "DELIVERED") this.#failing.delete(endpointId);
      if (outcome.kind === "RETRY") this.#failing.add(endpointId);
      if (outcome.kind === "DEAD") this.#failing.delete(endpointId);
      await webhooks.settleDelivery(claimed, outcome, policy.keepMs);
    } catch (error) {
      // Its lease runs out, and it is sent again.
      log.error({ err: error, deliveryId }, "outcome of a webhook delivery not written");
    }
  }
}

async function tryDelivery(
  deps: WebhookSenderDeps,
  claimed: ClaimedDelivery,
  stop: AbortSignal,
): Promise<AttemptOutcome> {
  const { tenant, endpoint, delivery } = claimed;
  if (endpoint === undefined) return { kind: "DEAD", status: 0, error: "the endpoint was deleted" };
  if (!endpoint.enabled) return { kind: "DEAD", status: 0, error: "the endpoint is disabled" };
  const signal = AbortSignal.any([stop, AbortSignal.timeout(deps.policy.timeoutMs)]);
  try {
    const status = await post(deps, { tenant, endpoint, delivery }, signal);
    if (status >= 200 && status <= 299) return { kind: "DELIVERED", status, time: deps.clock() };
    return failed(deps, delivery, status, `answered ${status}`);
  } catch (error) {
    if (stop.aborted) return { kind: "PUT_BACK", nextTime: deps.clock() };
    return failed(deps, delivery, 0, textOf(error));
  }
}

function post(
  deps: WebhookSenderDeps,
  { tenant, endpoint, delivery }: Omit<ClaimedDelivery, "token"> & { readonly endpoint: Endpoint },
  signal: AbortSignal,
): Promise<number> {
  const { body, eventId } = delivery;
  const now = deps.clock();
  const owner = { tenant, endpointId: endpoint.id };
  const secrets = activeSecrets(endpoint.secrets, now).map((one) => openSecret(deps, owner, one));
  return postOutbound({
    url: endpoint.url,
    headers: {
      "content-type": "application/json",
      "user-agent": "settle-webhook/1",
      "idempotency-key": eventId,
      [SIGNATURE_HEADER]: signWebhookByAll(secrets, Math.floor(now.getTime() / 1000), body),
    },
    body,
    policy: deps.outbound,
    signal,
    ...(deps.resolve && { resolve: deps.resolve }),
  });
}

function failed(
  deps: WebhookSenderDeps,
  delivery: WebhookDelivery,
  status: number,
  error: string,
): AttemptOutcome {
  const { id: deliveryId, endpointId, attempts, startTime } = delivery;
  const nowMs = deps.clock().getTime();
  if (nowMs - startTime.getTime() >= deps.policy.giveUpMs) {
    const message = `given up after ${attempts} attempts: ${error}`;
    deps.log.warn({ deliveryId, endpointId, attempts, error }, "webhook delivery is dead");
    return { kind: "DEAD", status, error: message };
  }
  const pauseMs = retryPauseMs(deps.policy, attempts, deps.random());
  deps.log.info({ deliveryId, endpointId, attempts, pauseMs, error }, "webhook delivery delayed");
  return { kind: "RETRY", status, error, nextTime: new Date(nowMs + pauseMs) };
}

/** What the endpoint's owner may read: nothing of what an address inside would have answered. */
function textOf(error: unknown): string {
  if (error instanceof ForbiddenTarget) return error.message;
  if (!(error instanceof Error)) return "failed";
  if (error.name === "TimeoutError") return "no answer in time";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return `not delivered: ${code}`.slice(0, ERROR_LENGTH_MAX);
}
