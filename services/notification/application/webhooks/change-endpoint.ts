import { checkEtag } from "#kit/etag.ts";
import { Refusal } from "#kit/refusal.ts";
import type { Endpoint } from "../../domain/webhook.ts";
import type { Tenant } from "../../store/port.ts";
import type { WebhookDeps } from "./deps.ts";

/** Another writer in between costs one try; without an etag the last writer wins. */
const TRIES_MAX = 10;

/** Which endpoint, as it was read, and by which call. */
export interface EndpointCall {
  readonly endpointId: string;
  /** Empty means whatever it is now. */
  readonly etag: string;
  /** Made once per request_id: a repeat after a crash finds its work done. */
  readonly callId: string;
}

/** What an endpoint's etag is made of. */
export function etagOf(endpoint: Endpoint): string {
  return endpoint.version.toString(36);
}

export function endpointNotFound(id: string): Refusal {
  return new Refusal("ENDPOINT_NOT_FOUND", {
    message: `There is no webhook endpoint ${id}; look it up with ListEndpoints.`,
    metadata: { endpoint_id: id },
  });
}

/**
 * Changes an endpoint once per call and answers what it is then. `change` answers undefined to delete it. Fails with
 * ENDPOINT_NOT_FOUND, ETAG_MISMATCH, and WRITE_CONFLICT when others change it all the time.
 */
export async function changeEndpoint(
  deps: Pick<WebhookDeps, "webhooks" | "clock">,
  scope: Tenant,
  call: EndpointCall,
  change: (endpoint: Endpoint, now: Date) => Endpoint | undefined,
): Promise<Endpoint> {
  const { endpointId, etag, callId } = call;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const stored = await deps.webhooks.findEndpoint(scope, endpointId);
    if (stored?.callId === callId) return stored.endpoint;
    if (stored === undefined || stored.deleted) throw endpointNotFound(endpointId);
    const { endpoint } = stored;
    checkEtag(etag, etagOf(endpoint));
    const now = deps.clock();
    const changed = change(endpoint, now);
    // Nothing of a deleted endpoint is kept but that it was there.
    const next = changed ?? { ...endpoint, url: "", description: "", secrets: [], enabled: false };
    const fresh = { ...next, version: endpoint.version + 1n, updateTime: now };
    const deleted = changed === undefined;
    if (await deps.webhooks.replaceEndpoint(scope, { endpoint: fresh, callId, deleted })) {
      return fresh;
    }
  }
  throw new Refusal("WRITE_CONFLICT");
}

/** Disables an endpoint, whoever changes it meanwhile, and gives up what waits for it. One that is gone stays gone. */
export async function switchOff(
  deps: Pick<WebhookDeps, "webhooks" | "clock">,
  scope: Tenant,
  { endpointId, callId, why }: Omit<EndpointCall, "etag"> & { readonly why: string },
): Promise<void> {
  try {
    await changeEndpoint(deps, scope, { endpointId, etag: "", callId }, (endpoint) => ({
      ...endpoint,
      enabled: false,
    }));
  } catch (error) {
    if (!(error instanceof Refusal && error.reason === "ENDPOINT_NOT_FOUND")) throw error;
  }
  await deps.webhooks.abandon(scope, endpointId, why);
}
