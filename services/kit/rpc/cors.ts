import type { IncomingMessage, ServerResponse } from "node:http";
import { cors } from "@connectrpc/connect";
import { TENANT_HEADER } from "./context.ts";
import { IDEMPOTENCY_KEY_HEADER, IF_MATCH_HEADER } from "./header-aliases.ts";
import { isOriginAllowed } from "./pages.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";

const ALLOWED_METHODS = [...cors.allowedMethods, "PUT", "PATCH", "DELETE", "HEAD"].join(", ");
const ALLOWED_HEADERS = [
  ...cors.allowedHeaders,
  "authorization",
  "idempotency-key",
  "traceparent",
  REQUEST_ID_HEADER,
  TENANT_HEADER,
  IDEMPOTENCY_KEY_HEADER,
  IF_MATCH_HEADER,
  // Temporal's page sends it to the codec endpoint.
  "x-namespace",
].join(", ");
const EXPOSED_HEADERS = [...cors.exposedHeaders, REQUEST_ID_HEADER, "retry-after"].join(", ");
/** How long a browser may keep the answer to a preflight, in seconds. */
const PREFLIGHT_MAX_AGE_S = 7_200;

/**
 * Lets pages served from this machine, or from the given origins, call from a browser; a foreign origin gets no
 * header and its browser keeps the answer from it. Answers preflights and returns true for them.
 */
export function allowOrigins(
  request: IncomingMessage,
  response: ServerResponse,
  origins: readonly string[] = [],
): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  const preflight =
    request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
  response.setHeader("vary", "origin");
  if (isOriginAllowed(origin, origins)) {
    response.setHeader("access-control-allow-origin", origin);
    if (preflight) {
      response.setHeader("access-control-allow-methods", ALLOWED_METHODS);
      response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
      response.setHeader("access-control-max-age", PREFLIGHT_MAX_AGE_S);
    } else {
      response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
    }
  }
  if (preflight) response.writeHead(204).end();
  return preflight;
}
