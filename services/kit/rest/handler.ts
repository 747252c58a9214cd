import type { IncomingMessage, ServerResponse } from "node:http";
import {
  createRegistry,
  type DescService,
  type JsonValue,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { RequestInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { Log } from "../log.ts";
import { Refusal } from "../refusal.ts";
import { type BodyLimits, readBody, requireJson } from "../rpc/body.ts";
import { toConnectError } from "../rpc/errors.ts";
import { isForwarded } from "../rpc/forwarded-headers.ts";
import type { InProcess, OpenCall } from "../rpc/in-process.ts";
import { NO_STORE } from "../rpc/plain-error.ts";
import { REQUEST_ID_HEADER, requestIdOf } from "../rpc/request-id.ts";
import { sourceOf } from "../rpc/source.ts";
import type { Binding } from "./binding.ts";
import { rpcHeaders } from "./http-request.ts";
import { requestMessage } from "./request-message.ts";
import { responseJson } from "./response-json.ts";
import { createRoutes, type Match, type Routes } from "./routes.ts";
import { restError } from "./status.ts";

/** What the REST face of services needs. */
export interface RestOptions {
  /** Services whose google.api.http annotations are served. */
  readonly services: readonly DescService[];
  /** Makes the RPCs, so that whoever answers them treats REST like every other protocol. */
  readonly call: InProcess;
  /** What bodies may take of the process. */
  readonly bodies: BodyLimits;
  readonly log: Log;
}

/** Answers a request and returns true, or returns false when its path is none of REST's. */
export type RestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

interface Face extends RestOptions {
  readonly routes: Routes;
  readonly registry: Registry;
}

/** One request on its way. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Without its `?`. */
  readonly query: string;
  readonly signal: AbortSignal;
}

/** The REST face of services. Throws when their annotations are wrong or clash: a bug of the contract. */
export function restHandler(options: RestOptions): RestHandler {
  const face: Face = {
    ...options,
    routes: createRoutes(options.services),
    registry: createRegistry(...options.services.map(({ file }) => file)),
  };
  return (request, response) => {
    const [path = "", query = ""] = splitOnce(request.url ?? "", "?");
    const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER]);
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const exchange = { request, response, requestId, query, signal: gone.signal };
    try {
      const found = face.routes.find(request.method ?? "", path);
      if (found === undefined) return false;
      if (found.match !== undefined) begin(face, exchange, found.match);
      else refuseMethod(exchange, found.allowed);
    } catch (error) {
      fail(face, exchange, error);
    }
    return true;
  };
}

function begin(face: Face, exchange: Exchange, match: Match): void {
  answer(face, exchange, match).catch((error: unknown) => fail(face, exchange, error));
}

async function answer(face: Face, exchange: Exchange, match: Match): Promise<void> {
  const { binding } = match;
  const { method } = binding;
  const header = rpcHeaders(exchange.request.headers);
  header.set(REQUEST_ID_HEADER, exchange.requestId);
  const source = sourceOf(exchange.request);
  const call = await face.call({ method, header, source });
  const input = await readInput(face, exchange, match, call);
  const { signal } = exchange;
  if (method.methodKind === "unary") {
    const { message, header: answered } = await call.transport.unary(
      method,
      signal,
      undefined,
      header,
      input,
    );
    return send(exchange, binding.success, answered, jsonOf(face, binding, message));
  }
  const inputs = createAsyncIterable([input]);
  const stream = await call.transport.stream(method, signal, undefined, header, inputs);
  await sendLines(face, exchange, binding, stream.header, stream.message);
}

/** Whoever calls was let in; now its message is read. */
async function readInput(
  face: Face,
  { request, response, query }: Exchange,
  { binding, variables }: Match,
  call: OpenCall,
): Promise<Message> {
  try {
    // Also without a body: a web page may send a POST of any other type without asking first.
    if (request.method === "POST") requireJson(request.headers);
    const body = await readBody(request, response, call.bytesMax, face.bodies);
    if (body.length > 0) requireJson(request.headers);
    return requestMessage(binding, { variables, query, body }, face.registry);
  } catch (error) {
    throw call.refuse(error);
  }
}

/** A message a line. An error before the first message is an HTTP error; a later one is the last line. */
async function sendLines(
  face: Face,
  exchange: Exchange,
  binding: Binding,
  header: Headers,
  messages: AsyncIterable<Message>,
): Promise<void> {
  const { response } = exchange;
  const start = (): void => {
    if (response.headersSent) return;
    writeHead(exchange, binding.success, header, "application/x-ndjson");
  };
  for await (const message of messages) {
    start();
    if (exchange.request.method === "HEAD") break;
    const more = response.write(`${JSON.stringify(jsonOf(face, binding, message))}\n`);
    // A caller that does not read holds its own stream up, and nothing is kept for it here.
    if (!more) await drained(response, exchange.signal);
  }
  start();
  response.end();
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    response.once("drain", done);
    signal.addEventListener("abort", done);
  });
}

function jsonOf(face: Face, binding: Binding, message: Message): JsonValue {
  return responseJson(binding.method.output, message, binding.responseBody, face.registry);
}

function send(exchange: Exchange, status: number, header: Headers, json: JsonValue): void {
  const { response } = exchange;
  if (status === 204 || status === 205) {
    writeHead(exchange, status, header, undefined);
    response.end();
    return;
  }
  writeHead(exchange, status, header, "application/json");
  if (exchange.request.method === "HEAD") response.end();
  else response.end(`${JSON.stringify(json)}\n`);
}

function writeHead(
  { response, requestId }: Exchange,
  status: number,
  header: Headers,
  contentType: string | undefined,
): void {
  for (const [name, value] of header) {
    if (isForwarded(name)) {
      response.setHeader(name, value);
    }
  }
  response.setHeader(REQUEST_ID_HEADER, requestId);
  if (!response.hasHeader("cache-control")) response.setHeader("cache-control", NO_STORE);
  if (contentType !== undefined) response.setHeader("content-type", contentType);
  response.writeHead(status);
}

function refuseMethod(exchange: Exchange, allowed: readonly string[]): void {
  const { request, response } = exchange;
  response.setHeader("allow", allowed.join(", "));
  if (request.method === "OPTIONS") {
    writeHead(exchange, 204, new Headers(), undefined);
    response.end();
    return;
  }
  const message = `${request.method} is not allowed here; ${allowed.join(", ")} are`;
  sendError(exchange, toConnectError(new Refusal("METHOD_NOT_ALLOWED", { message }), {}), true);
}

function fail(face: Face, exchange: Exchange, error: unknown): void {
  const { response, request } = exchange;
  if (exchange.signal.aborted || response.writableEnded) {
    response.destroy();
    return;
  }
  if (response.headersSent) {
    response.end(`${JSON.stringify(restError(ConnectError.from(error)).body)}\n`);
    return;
  }
  if (error instanceof ConnectError) sendError(exchange, error, false);
  else if (error instanceof Refusal) sendError(exchange, toConnectError(error, {}), true);
  else {
    const { requestId } = exchange;
    face.log.error({ err: error, path: request.url, requestId }, "REST failed by a bug");
    sendError(exchange, new ConnectError("internal error", Code.Internal), true);
  }
}

/** Answers an error; one made here gets the request's id, one of the RPC has it already. */
function sendError(exchange: Exchange, error: ConnectError, ours: boolean): void {
  const { request, response, requestId } = exchange;
  if (ours) error.details.push({ desc: RequestInfoSchema, value: { requestId } });
  const { httpStatus, headers, body } = restError(error);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader(REQUEST_ID_HEADER, requestId);
  response.setHeader("cache-control", NO_STORE);
  response.setHeader("content-type", "application/json");
  response.writeHead(httpStatus);
  response.end(request.method === "HEAD" ? undefined : `${JSON.stringify(body)}\n`);
}

function splitOnce(text: string, at: string): [string, string] {
  const cut = text.indexOf(at);
  return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut + at.length)];
}
