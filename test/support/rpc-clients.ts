import { execFile } from "node:child_process";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { createGrpcWebTransport as createBrowserTransport } from "@connectrpc/connect-web";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "#gen/google/rpc/status_pb.ts";
import { toolPath } from "#test/support/env.ts";
import { restByCurl } from "#test/support/rest-client.ts";
import {
  type StreamCall,
  streamByCurl,
  streamByGrpcJs,
  streamByTool,
  streamByTransport,
} from "#test/support/rpc-streams.ts";

/** What a client made of an answer, in the same words for every protocol. */
export type WireAnswer<O extends DescMessage = DescMessage> =
  | { readonly ok: true; readonly message: MessageShape<O> }
  | WireError;

/** An error as the caller of any protocol can read it. */
export interface WireError {
  readonly ok: false;
  readonly code: Code;
  readonly message: string;
  /** `ErrorInfo.reason`. */
  readonly reason: string | undefined;
  /** Field paths of `BadRequest`. */
  readonly fields: readonly string[];
}

/** One way to call an RPC: a library or a command line tool, with its protocol. */
export interface WireClient {
  readonly name: string;
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    input: MessageInitShape<I>,
  ): Promise<WireAnswer<O>>;
  /** Undefined where a client knows no streams. */
  readonly stream?: StreamCall;
  close(): void;
}

/** Every way to call `host:port`. Close each when done. */
export function wireClients(address: string): WireClient[] {
  const baseUrl = `http://${address}`;
  const manager = new Http2SessionManager(baseUrl);
  const h2 = { baseUrl, httpVersion: "2", sessionManager: manager } as const;
  const h1 = { baseUrl, httpVersion: "1.1", nodeOptions: { agent: false } } as const;
  const closeH2 = () => manager.abort();
  return [
    grpcJs(address),
    overTransport(
      "gRPC, connect-node",
      createGrpcTransport({ baseUrl, sessionManager: manager }),
      closeH2,
    ),
    overTransport("gRPC-Web over HTTP/1.1", createGrpcWebTransport(h1)),
    overTransport("gRPC-Web over HTTP/2", createGrpcWebTransport(h2), closeH2),
    overTransport("gRPC-Web by fetch, as a browser", createBrowserTransport({ baseUrl })),
    overTransport("Connect over HTTP/1.1", createConnectTransport(h1)),
    overTransport("Connect over HTTP/2", createConnectTransport(h2), closeH2),
    overTransport(
      "Connect JSON over HTTP/2",
      createConnectTransport({ ...h2, useBinaryFormat: false }),
      closeH2,
    ),
    overTransport("Connect GET", createConnectTransport({ ...h1, useHttpGet: true })),
    curl("curl JSON over HTTP/1.1", baseUrl, ["--http1.1"]),
    curl("curl JSON over HTTP/2", baseUrl, ["--http2-prior-knowledge"]),
    grpcurl(address),
    bufCurl(baseUrl),
    restByCurl(baseUrl),
  ];
}

function overTransport(
  name: string,
  transport: Transport,
  close = (): void => undefined,
): WireClient {
  return {
    name,
    close,
    ...(name === "Connect GET" ? {} : { stream: streamByTransport(transport) }),
    async call(method, input) {
      try {
        const call = transport.unary(method, undefined, undefined, undefined, input);
        return { ok: true, message: (await call).message };
      } catch (error) {
        return fromConnect(ConnectError.from(error));
      }
    },
  };
}

function fromConnect(error: ConnectError): WireError {
  const violations = error
    .findDetails(BadRequestSchema)
    .flatMap((detail) => detail.fieldViolations);
  return {
    ok: false,
    code: error.code,
    message: error.rawMessage,
    reason: error.findDetails(ErrorInfoSchema)[0]?.reason,
    fields: violations.map((violation) => violation.field),
  };
}

/** The plain client most gRPC users of Node have; it knows nothing of Connect. */
function grpcJs(address: string): WireClient {
  const client = new Client(address, credentials.createInsecure());
  return {
    name: "@grpc/grpc-js",
    stream: streamByGrpcJs(client),
    close: () => client.close(),
    call: (method, input) =>
      new Promise((resolve) => {
        client.makeUnaryRequest(
          `/${method.parent.typeName}/${method.name}`,
          (message: MessageShape<typeof method.input>) =>
            Buffer.from(toBinary(method.input, message)),
          (bytes) => fromBinary(method.output, bytes),
          create(method.input, input),
          (error, message) => {
            if (error) resolve(fromGrpcJs(error));
            else if (message) resolve({ ok: true, message });
          },
        );
      }),
  };
}

/** Reads `grpc-status-details-bin` by hand, as a client without Connect has to. */
export function fromGrpcJs(error: ServiceError): WireError {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const status = bytes instanceof Buffer ? fromBinary(StatusSchema, bytes) : create(StatusSchema);
  const details = status.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return { ...fromDetails(details), code: Number(error.code), message: error.details };
}

function fromDetails(
  details: readonly { readonly type: string; readonly value: Uint8Array }[],
): Omit<WireError, "code" | "message"> {
  const error = new ConnectError("");
  error.details = details.map(({ type, value }) => ({ type, value }));
  const { reason, fields } = fromConnect(error);
  return { ok: false, reason, fields };
}

function curl(name: string, baseUrl: string, options: readonly string[]): WireClient {
  return {
    name,
    close: () => undefined,
    stream: streamByCurl(baseUrl, options),
    async call(method, input) {
      const { stdout } = await run("curl", [
        ...["--silent", "--show-error", "--max-time", "30", ...options],
        ...["--header", "content-type: application/json", "--write-out", "\n%{http_code}"],
        ...["--data-binary", toJsonString(method.input, create(method.input, input))],
        `${baseUrl}/${method.parent.typeName}/${method.name}`,
      ]);
      const cut = stdout.lastIndexOf("\n");
      const body: JsonValue = JSON.parse(stdout.slice(0, cut));
      if (stdout.slice(cut + 1) === "200")
        return { ok: true, message: fromJson(method.output, body) };
      return fromConnectJson(body);
    },
  };
}

/** An error of the Connect protocol as curl and `buf curl` print it. */
function fromConnectJson(body: unknown): WireError {
  // JSON enters here; the shape is that of the Connect protocol.
  const error = body as {
    code: string;
    message?: string;
    details?: { type: string; value: string }[];
  };
  const details = (error.details ?? []).map(({ type, value }) => ({
    type,
    value: base64Decode(value),
  }));
  return {
    ...fromDetails(details),
    code: codeFromString(error.code) ?? Code.Unknown,
    message: error.message ?? "",
  };
}

/** Knows the contract only by reflection. */
function grpcurl(address: string): WireClient {
  return {
    name: "grpcurl",
    close: () => undefined,
    stream: streamByTool(toolPath("grpcurl"), (rpc, body) => [
      ...["-plaintext", "-max-time", "30", "-d", body],
      ...[address, rpc],
    ]),
    async call(method, input) {
      const body = toJsonString(method.input, create(method.input, input));
      const rpc = `${method.parent.typeName}/${method.name}`;
      const options = ["-plaintext", "-format-error", "-max-time", "30", "-d", body];
      const { ok, stdout, stderr } = await run(toolPath("grpcurl"), [...options, address, rpc]);
      if (ok) return { ok: true, message: fromJson(method.output, JSON.parse(stdout)) };
      return wireErrorOfStatus(JSON.parse(stderr.slice(stderr.indexOf("{"))));
    },
  };
}

/** `google.rpc.Status` in JSON, as grpcurl and our HTTP routes have it. */
export function wireErrorOfStatus(body: unknown): WireError {
  // JSON enters here; the shape is that of google.rpc.Status.
  const status = body as {
    code: number;
    message?: string;
    details?: { "@type": string; reason?: string; fieldViolations?: { field: string }[] }[];
  };
  const detail = (type: string) =>
    status.details?.find((detail) => detail["@type"].endsWith(`/google.rpc.${type}`));
  return {
    ok: false,
    code: status.code,
    message: status.message ?? "",
    reason: detail("ErrorInfo")?.reason,
    fields: detail("BadRequest")?.fieldViolations?.map(({ field }) => field) ?? [],
  };
}

/** Needs no tool but what npm installed; knows the contract only by reflection. */
function bufCurl(baseUrl: string): WireClient {
  return {
    name: "buf curl",
    close: () => undefined,
    stream: streamByTool("node_modules/.bin/buf", (rpc, body) => [
      ...["curl", "--http2-prior-knowledge", "--protocol", "grpc", "--data", body],
      `${baseUrl}/${rpc}`,
    ]),
    async call(method, input) {
      const body = toJsonString(method.input, create(method.input, input));
      const url = `${baseUrl}/${method.parent.typeName}/${method.name}`;
      const options = ["--http2-prior-knowledge", "--protocol", "grpc", "--data", body];
      const { ok, stdout, stderr } = await run("node_modules/.bin/buf", ["curl", ...options, url]);
      if (ok) return { ok: true, message: fromJson(method.output, JSON.parse(stdout)) };
      return fromConnectJson(JSON.parse(stderr.slice(stderr.indexOf("{"))));
    },
  };
}

/** Runs a tool; a failure is an answer, not an exception. */
export function run(
  file: string,
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: 40_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout, stderr });
    });
  });
}
