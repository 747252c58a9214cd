import { ForbiddenTarget, postOutbound } from "#kit/outbound.ts";
import type { PostAnswer } from "#kit/post.ts";
import { SIGNATURE_HEADER, signWebhookByAll } from "#kit/webhook.ts";
import { retryPauseMs } from "../../domain/retry.ts";
import { activeSecrets, type Endpoint, type WebhookDelivery } from "../../domain/webhook.ts";
import type { AttemptOutcome, ClaimedDelivery } from "../../store/webhook-port.ts";
import { switchOff } from "./change-endpoint.ts";
import type { WebhookSenderDeps } from "./deps.ts";
import { openSecret } from "./secrets.ts";

/** What is said of an address that gave no answer, whatever the reason: an endpoint must not be a port scanner. */
const NO_ANSWER = "no answer";
/** The endpoint is gone for good, by its own word. */
const GONE = 410;
const DISABLED = `answered ${GONE}: the endpoint is disabled; UpdateEndpoint enables it again`;
/** Longest wait that a receiver may ask for, in milliseconds. */
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;

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
      // Nothing more is sent there until its owner says so. When this is lost, the next delivery meets the same answer.
      if (outcome.kind === "DEAD" && outcome.status === GONE) {
        const call = { endpointId, callId: `gone:${deliveryId}`, why: DISABLED };
        await switchOff(this.#deps, claimed, call);
      }
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
    const { status, retryAfter } = await post(deps, { tenant, endpoint, delivery }, signal);
    if (status >= 200 && status <= 299) return { kind: "DELIVERED", status, time: deps.clock() };
    if (status === GONE) return { kind: "DEAD", status, error: DISABLED };
    const waitMs = retryAfterMs(retryAfter, deps.clock());
    return failed(deps, delivery, { status, error: `answered ${status}`, waitMs });
  } catch (error) {
    if (stop.aborted) return { kind: "PUT_BACK", nextTime: deps.clock() };
    const { id: deliveryId, endpointId } = delivery;
    deps.log.info({ err: error, deliveryId, endpointId }, "webhook endpoint gave no answer");
    return failed(deps, delivery, { status: 0, error: textOf(error), waitMs: 0 });
  }
}

function post(
  deps: WebhookSenderDeps,
  { tenant, endpoint, delivery }: Omit<ClaimedDelivery, "token"> & { readonly endpoint: Endpoint },
  signal: AbortSignal,
): Promise<PostAnswer> {
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

/** What a receiver asks for by `Retry-After`, in seconds or as a date; 0 when it asks for nothing sensible. */
function retryAfterMs(header: string | undefined, now: Date): number {
  if (header === undefined) return 0;
  const seconds = /^\d{1,9}$/.exec(header.trim());
  const waitMs = seconds ? Number(seconds[0]) * 1000 : Date.parse(header) - now.getTime();
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS);
}

function failed(
  deps: WebhookSenderDeps,
  delivery: WebhookDelivery,
  {
    status,
    error,
    waitMs,
  }: { readonly status: number; readonly error: string; readonly waitMs: number },
): AttemptOutcome {
  const { id: deliveryId, endpointId, attempts, startTime } = delivery;
  const nowMs = deps.clock().getTime();
  if (nowMs - startTime.getTime() >= deps.policy.giveUpMs) {
    const message = `given up after ${attempts} attempts: ${error}`;
    deps.log.warn({ deliveryId, endpointId, attempts, error }, "webhook delivery is dead");
    return { kind: "DEAD", status, error: message };
  }
  const pauseMs = Math.max(waitMs, retryPauseMs(deps.policy, attempts, deps.random()));
  deps.log.info({ deliveryId, endpointId, attempts, pauseMs, error }, "webhook delivery delayed");
  return { kind: "RETRY", status, error, nextTime: new Date(nowMs + pauseMs) };
}

/** What the endpoint's owner may read: nothing of what an address inside would have answered. */
function textOf(error: unknown): string {
  return error instanceof ForbiddenTarget ? error.message : NO_ANSWER;
}
