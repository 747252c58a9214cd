import { targetFault } from "#kit/outbound.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { type Endpoint, rotate } from "../../domain/webhook.ts";
import { changeEndpoint, type EndpointCall } from "./change-endpoint.ts";
import type { WebhookDeps } from "./deps.ts";
import { newSecret, openSecret } from "./secrets.ts";

/** Every event costs a row per endpoint. Callers who come at the same moment may pass it by a few. */
const ENDPOINTS_MAX = 100;

/** What the owner says about an endpoint. */
export interface EndpointFields {
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly description: string;
}

/** An endpoint with its newest secret. */
export interface EndpointWithSecret {
  readonly endpoint: Endpoint;
  readonly secret: string;
}

/** Adds an endpoint; `callId` becomes its id. Fails with WEBHOOK_URL_REFUSED, TOO_MANY_ENDPOINTS. */
export async function createEndpoint(
  deps: WebhookDeps,
  scope: Scope,
  fields: EndpointFields,
  callId: string,
): Promise<EndpointWithSecret> {
  checkUrl(deps, fields.url);
  if ((await deps.webhooks.countEndpoints(scope)) >= ENDPOINTS_MAX) {
    throw new Refusal("TOO_MANY_ENDPOINTS", { metadata: { limit: `${ENDPOINTS_MAX}` } });
  }
  const now = deps.clock();
  const endpoint = await deps.webhooks.insertEndpoint(scope, {
    id: callId,
    ...fields,
    enabled: true,
    secrets: [newSecret(deps, { tenant: scope.tenant, endpointId: callId }, callId)],
    version: 1n,
    createTime: now,
    updateTime: now,
  });
  return { endpoint, secret: secretOf(deps, scope, endpoint, callId) };
}

/** Replaces what the owner says. Fails with ENDPOINT_NOT_FOUND, WEBHOOK_URL_REFUSED, ETAG_MISMATCH. */
export async function updateEndpoint(
  deps: WebhookDeps,
  scope: Scope,
  call: EndpointCall,
  fields: EndpointFields & { readonly enabled: boolean | undefined },
): Promise<Endpoint> {
  checkUrl(deps, fields.url);
  const { url, eventTypes, description, enabled } = fields;
  const changed = await changeEndpoint(deps, scope, call, (endpoint) => ({
    ...endpoint,
    url,
    eventTypes,
    description,
    enabled: enabled ?? endpoint.enabled,
  }));
  if (!changed.enabled) {
    await deps.webhooks.abandon(scope, call.endpointId, "the endpoint is disabled");
  }
  return changed;
}

/** Removes an endpoint and gives up what waits for it. Fails with ENDPOINT_NOT_FOUND, ETAG_MISMATCH. */
export async function deleteEndpoint(
  deps: WebhookDeps,
  scope: Scope,
  call: EndpointCall,
): Promise<void> {
  await changeEndpoint(deps, scope, call, () => undefined);
  await deps.webhooks.abandon(scope, call.endpointId, "the endpoint was deleted");
}

/** Makes a new secret; those of before sign for the overlap as well. Fails with ENDPOINT_NOT_FOUND, ETAG_MISMATCH. */
export async function rotateSecret(
  deps: WebhookDeps,
  scope: Scope,
  call: EndpointCall,
  overlapMs: number = deps.overlapMs,
): Promise<EndpointWithSecret> {
  const { endpointId, callId } = call;
  const fresh = newSecret(deps, { tenant: scope.tenant, endpointId }, callId);
  const endpoint = await changeEndpoint(deps, scope, call, (before, now) => ({
    ...before,
    secrets: rotate(before.secrets, fresh, now, overlapMs),
  }));
  return { endpoint, secret: secretOf(deps, scope, endpoint, callId) };
}

function checkUrl(deps: WebhookDeps, url: string): void {
  const fault = targetFault(url, deps.outbound);
  if (fault === undefined) return;
  throw new Refusal("WEBHOOK_URL_REFUSED", {
    message: `url: ${fault}`,
    fields: [{ field: "url", description: fault }],
  });
}

/** The secret a call made, also when it was this very call that ran before and whose answer got lost. */
function secretOf(
  deps: WebhookDeps,
  { tenant }: Scope,
  { id: endpointId, secrets }: Endpoint,
  callId: string,
): string {
  const made = secrets.find(({ id }) => id === callId);
  return made === undefined ? "" : openSecret(deps, { tenant, endpointId }, made);
}
