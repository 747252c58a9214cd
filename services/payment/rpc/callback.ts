import type { IncomingMessage, ServerResponse } from "node:http";
import { commonReasons } from "#kit/pure/reasons.ts";
import { Refusal } from "#kit/refusal.ts";
import { requireJson } from "#kit/rpc/body.ts";
import type { HttpHandler, HttpPort } from "#kit/rpc/http-port.ts";
import { answerRefusal } from "#kit/rpc/plain-error.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "#kit/rpc/request-id.ts";
import { sourceOf } from "#kit/rpc/source.ts";
import { SIGNATURE_HEADER } from "#kit/webhook.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { type Receipt, receiveCallback } from "../application/receive-callback.ts";

const PATH = /^\/callbacks\/gateway\/([a-z0-9-]{1,32})$/;
/** A callback is a few hundred bytes. */
const BODY_MAX_BYTES = 16_384;

const FORGED = "CALLBACK_SIGNATURE_INVALID";

/** One callback on its way. */
interface Callback {
  readonly provider: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
}

/** Answers `POST /callbacks/gateway/{provider}`; false for any other request. 200 means durable. */
export function callbackEndpoint(deps: PaymentDeps): HttpHandler {
  return (request, response, port) => {
    const provider = PATH.exec(request.url ?? "")?.[1];
    if (provider === undefined) return false;
    const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER]);
    const callback = { provider, request, response, requestId };
    handle(deps, port, callback).catch((error: unknown) => fail(deps, port, callback, error));
    return true;
  };
}

async function handle(deps: PaymentDeps, port: HttpPort, callback: Callback): Promise<void> {
  const { provider, request, response } = callback;
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    throw new Refusal("METHOD_NOT_ALLOWED", { message: "send callbacks by POST" });
  }
  requireJson(request.headers);
  const rawBody = await port.readBody(request, response, BODY_MAX_BYTES);
  const header = request.headers[SIGNATURE_HEADER];
  const signature = Array.isArray(header) ? header.join(",") : header;
  answer(port, callback, await receiveCallback(deps, provider, signature, rawBody));
}

function answer(port: HttpPort, callback: Callback, receipt: Receipt): void {
  switch (receipt) {
    case "stored":
      send(callback, 200, "OK", "stored");
      break;
    case "signature-invalid":
      note(port, callback, "callback_forged", FORGED);
      send(callback, 401, FORGED, "the signature is not valid for this body and time");
      break;
    case "malformed":
      send(callback, 400, "MALFORMED_MESSAGE", "signed, but not a callback of this API");
  }
}

/** What the sender is at fault for is in the security log; what we are is an error, and it sends again. */
function fail(deps: PaymentDeps, port: HttpPort, callback: Callback, error: unknown): void {
  const { request, response, requestId } = callback;
  if (response.headersSent || response.destroyed) return;
  if (error instanceof Refusal && error.reason in commonReasons) {
    note(port, callback, "callback_refused", error.reason);
    answerRefusal(request, response, error, requestId);
    return;
  }
  if (request.destroyed && !request.complete) return;
  deps.log.error({ err: error, requestId }, "callback could not be stored");
  send(callback, 503, "STORE_UNAVAILABLE", "not stored; send it again");
}

function note(
  { security }: HttpPort,
  { request, provider, requestId }: Callback,
  event: "callback_forged" | "callback_refused",
  reason: string,
): void {
  const source = sourceOf(request);
  security.note({ event, source, target: `/callbacks/gateway/${provider}`, reason, requestId });
}

function send(
  { response, requestId }: Callback,
  status: number,
  reason: string,
  message: string,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    [REQUEST_ID_HEADER]: requestId,
  });
  response.end(`${JSON.stringify({ reason, message, requestId })}\n`);
}
