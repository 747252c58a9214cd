import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { Refusal } from "../refusal.ts";
import { restError, statusOfReason } from "../rest/status.ts";
import { toConnectError } from "./errors.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";
import { protocolOf } from "./transport-errors.ts";

/** Value of `cache-control` on whatever may be an error or show a secret. */
export const NO_STORE = "no-store";

/** A path that can only be meant for an RPC: `/package.Service/Method`. */
const RPC_PATH = /^\/[\w.]+\.\w+\/\w+$/;

/**
 * Refuses a request that no handler answers, in the protocol it speaks: gRPC in its trailers, Connect and REST each in
 * their JSON. Every one carries reason and request id.
 */
export function answerRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  requestId: string,
): void {
  const error = toConnectError(refusal, {});
  error.details.push({ desc: RequestInfoSchema, value: { requestId } });
  const type = request.headers["content-type"] ?? "";
  response.setHeader(REQUEST_ID_HEADER, requestId);
  response.setHeader("cache-control", NO_STORE);
  if (protocolOf(type) !== "connect") {
    response.setHeader("content-type", type);
    for (const [name, value] of setTrailerStatus(new Headers(), error)) {
      response.setHeader(name, value);
    }
    response.writeHead(200).end();
    return;
  }
  const isRpc = RPC_PATH.test(request.url?.split("?", 1)[0] ?? "");
  const { status, headers, body } = isRpc ? connectAnswer(error, refusal.reason) : rest(error);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("content-type", "application/json");
  response.writeHead(status);
  response.end(request.method === "HEAD" ? undefined : `${JSON.stringify(body)}\n`);
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonValue;
}

function connectAnswer(error: ConnectError, reason: string): Answer {
  const status = statusOfReason(reason) ?? codeToHttpStatus(error.code);
  return { status, headers: {}, body: errorToJson(error, undefined) };
}

function rest(error: ConnectError): Answer {
  const { httpStatus, headers, body } = restError(error);
  return { status: httpStatus, headers, body };
}
