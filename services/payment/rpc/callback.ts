import type { IncomingMessage, ServerResponse } from "node:http";
import { SIGNATURE_HEADER } from "#kit/webhook.ts";
import type { PaymentDeps } from "../application/deps.ts";
import { receiveCallback } from "../application/receive-callback.ts";

const PATH = /^\/callbacks\/gateway\/([a-z0-9-]{1,32})$/;
/** A callback is a few hundred bytes. */
const BODY_MAX_BYTES = 16_384;

/** Answers `POST /callbacks/gateway/{provider}`; false for any other request. 200 means durable. */
export function callbackEndpoint(
  deps: PaymentDeps,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const provider = PATH.exec(request.url ?? "")?.[1];
    if (provider === undefined) return false;
    if (request.method !== "POST") {
      answer(response, 405, "METHOD_NOT_ALLOWED", "send callbacks by POST");
      return true;
    }
    handle(deps, provider, request, response).catch((error: unknown) => {
      deps.log.error({ err: error }, "callback could not be stored");
      answer(response, 503, "STORE_UNAVAILABLE", "not stored; send it again");
    });
    return true;
  };
}

async function handle(
  deps: PaymentDeps,
  provider: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const rawBody = await readBody(request);
  if (rawBody === undefined) {
    return answer(
      response,
      413,
      "MESSAGE_TOO_LARGE",
      `a callback has at most ${BODY_MAX_BYTES} bytes`,
    );
  }
  const header = request.headers[SIGNATURE_HEADER];
  const signature = Array.isArray(header) ? header.join(",") : header;
  switch (await receiveCallback(deps, provider, signature, rawBody)) {
    case "stored":
      return answer(response, 200, "OK", "stored");
    case "signature-invalid":
      return answer(
        response,
        401,
        "CALLBACK_SIGNATURE_INVALID",
        "the signature is not valid for this body and time",
      );
    case "malformed":
      return answer(response, 400, "MALFORMED_MESSAGE", "signed, but not a callback of this API");
  }
}

/** The raw bytes, since the signature is over them; undefined when there are too many. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_MAX_BYTES) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, reason: string, message: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify({ reason, message })}\n`);
}
