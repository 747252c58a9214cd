import type { IncomingMessage, ServerResponse } from "node:http";
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";
import type { Authority } from "../auth/authority.ts";
import { Refusal } from "../refusal.ts";
import { requireJson } from "../rpc/body.ts";
import type { HttpHandler, HttpPort } from "../rpc/http-port.ts";
import { answerRefusal, NO_STORE } from "../rpc/plain-error.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../rpc/request-id.ts";

const { Payloads } = proto.temporal.api.common.v1;
/** Temporal's UI asks for a page of history at once. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/**
 * `POST /codec/decode`: Temporal's UI and command line send payloads as they are stored and show what comes back. For
 * operators only, who may read every payment anyway. There is no encode: nothing is put into a history from a page.
 */
export function codecEndpoint(codec: PayloadCodec, authority: Authority): HttpHandler {
  return (request, response, port) => {
    if (request.url?.split("?", 1)[0] !== "/codec/decode") return false;
    decode({ codec, authority, port }, request, response).catch((error: unknown) => {
      // What is no refusal is the look-up of a key that found no database.
      const refusal = error instanceof Refusal ? error : new Refusal("STORE_UNAVAILABLE");
      if (!response.headersSent && !response.destroyed) {
        answerRefusal(request, response, refusal, requestIdOf(request.headers[REQUEST_ID_HEADER]));
      }
    });
    return true;
  };
}

async function decode(
  { codec, authority, port }: { codec: PayloadCodec; authority: Authority; port: HttpPort },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    throw new Refusal("METHOD_NOT_ALLOWED", { message: "send payloads by POST" });
  }
  const { authorization } = request.headers;
  const caller = await authority.authenticate(new Headers(authorization ? { authorization } : {}));
  if (!caller.roles.includes("operator")) {
    throw new Refusal("ROLE_MISSING", { metadata: { roles: "operator" } });
  }
  requireJson(request.headers);
  const body = (await port.readBody(request, response, BODY_BYTES_MAX)).toString();
  const payloads = await codec.decode(payloadsOf(body));
  response.writeHead(200, { "content-type": "application/json", "cache-control": NO_STORE });
  response.end(JSON.stringify(Payloads.create({ payloads })));
}

function payloadsOf(body: string): Payload[] {
  try {
    const read: unknown = JSON.parse(body);
    if (typeof read === "object" && read !== null) return Payloads.fromObject(read).payloads;
  } catch {
    // Not JSON, or not of payloads: the same answer.
  }
  throw new Refusal("MALFORMED_MESSAGE");
}
