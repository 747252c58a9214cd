import http from "node:http";
import http2 from "node:http2";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import type { Case } from "./cases.ts";

/** What came back for a request. */
export interface Outcome {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Undefined is OK, or no RPC answer at all (then the HTTP status says why). */
  readonly code: Code | undefined;
  readonly reason: string | undefined;
  /** Field paths of `BadRequest`. */
  readonly fields: readonly string[];
  readonly message: string;
  /** Why there was no answer: `hang`, or how the connection ended. */
  readonly broken: string | undefined;
}

/** Bit of a frame's flags. */
const COMPRESSED = 0x01;
/** Longer than any call may take on the server. */
const HANG_MS = 40_000;

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly trailers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends requests over kept connections, one HTTP/2 session per address. */
export interface Wire extends Disposable {
  send(request: Case): Promise<Outcome>;
}

export function createWire(): Wire {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const sessions = new Map<string, http2.ClientHttp2Session>();
  const session = (address: string): http2.ClientHttp2Session => {
    const open = sessions.get(address);
    if (open !== undefined && !open.closed && !open.destroyed) return open;
    const fresh = http2.connect(`http://${address}`);
    fresh.setMaxListeners(0);
    fresh.on("error", () => fresh.destroy());
    sessions.set(address, fresh);
    return fresh;
  };
  return {
    async send(request) {
      try {
        const sent =
          request.http === 2
            ? sendHttp2(session(request.address), request)
            : sendHttp1(agent, request);
        return read(request, await within(sent));
      } catch (error) {
        return { ...NO_ANSWER, broken: error instanceof Error ? error.message : String(error) };
      }
    },
    [Symbol.dispose]() {
      agent.destroy();
      for (const open of sessions.values()) open.destroy();
    },
  };
}

const NO_ANSWER = {
  status: 0,
  code: undefined,
  reason: undefined,
  fields: [],
  message: "",
} as const;

async function within(sent: Promise<Answer>): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("hang")), HANG_MS);
  return Promise.race([sent, promise]).finally(() => clearTimeout(timer));
}

function sendHttp1(agent: http.Agent, request: Case): Promise<Answer> {
  const { address, verb, path, headers, body } = request;
  return new Promise((resolve, reject) => {
    const url = `http://${address}`;
    const length = { "content-length": `${body.length}` };
    const sent = http.request(url, {
      agent,
      method: verb,
      path,
      headers: { ...headers, ...length },
    });
    sent.once("error", reject);
    sent.once("response", (response) => {
      collect(response, reject, (bytes) => {
        const { statusCode = 0, headers, trailers } = response;
        resolve({ status: statusCode, headers, trailers, body: bytes });
      });
    });
    sent.end(body);
  });
}

function sendHttp2(session: http2.ClientHttp2Session, request: Case): Promise<Answer> {
  const { verb, path, headers, body } = request;
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...headers, ":method": verb, ":path": path });
    let head: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    stream.once("response", (received) => {
      head = received;
    });
    stream.once("trailers", (received) => {
      trailers = received;
    });
    collect(stream, reject, (bytes) => {
      resolve({ status: Number(head[":status"] ?? 0), headers: head, trailers, body: bytes });
    });
    stream.end(body);
  });
}

function collect(
  stream: NodeJS.ReadableStream,
  reject: (error: Error) => void,
  done: (bytes: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  stream.once("error", reject);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.once("end", () => done(Buffer.concat(chunks)));
  stream.once("close", () => reject(new Error("closed without an answer")));
}

function read(request: Case, answer: Answer): Outcome {
  const error = errorOf(request, answer);
  const violations = error
    ?.findDetails(BadRequestSchema)
    .flatMap((detail) => detail.fieldViolations);
  return {
    status: answer.status,
    code: error?.code,
    reason: error?.findDetails(ErrorInfoSchema)[0]?.reason,
    fields: (violations ?? []).map(({ field }) => field),
    message: error?.rawMessage ?? "",
    broken: undefined,
  };
}

function errorOf(request: Case, answer: Answer): ConnectError | undefined {
  const type = String(answer.headers["content-type"] ?? "");
  if (type.startsWith("application/grpc-web")) return fromFrames(answer.body, 0x80, fromTrailer);
  if (type.startsWith("application/grpc")) {
    const all = Object.entries({ ...answer.headers, ...answer.trailers });
    const plain = all.filter(([name]) => !name.startsWith(":"));
    return findTrailerError(new Headers(plain.map(([name, value]) => [name, String(value)])));
  }
  if (type.startsWith("application/connect+")) return fromFrames(answer.body, 0x02, fromEndStream);
  if (answer.status < 400 || request.verb === "HEAD") return undefined;
  return fromJson(answer.body);
}

/** The last frame says how it ended. */
function fromFrames(
  body: Buffer,
  endFlag: number,
  parse: (bytes: Buffer) => ConnectError | undefined,
): ConnectError | undefined {
  for (let at = 0; at + 5 <= body.length; at += 5 + body.readUInt32BE(at + 1)) {
    const flags = body.readUInt8(at);
    if ((flags & endFlag) === 0) continue;
    const bytes = body.subarray(at + 5);
    // A server may pack the last frame the way the request was packed.
    return parse((flags & COMPRESSED) === 0 ? bytes : unpack(bytes));
  }
  return undefined;
}

/** gzip says so in its first bytes; brotli is the only other one. */
function unpack(bytes: Buffer): Buffer {
  return bytes.length > 1 && bytes.readUInt16BE(0) === 0x1f8b
    ? gunzipSync(bytes)
    : brotliDecompressSync(bytes);
}

function fromTrailer(bytes: Buffer): ConnectError | undefined {
  return findTrailerError(trailerParse(bytes));
}

function fromEndStream(bytes: Buffer): ConnectError | undefined {
  // JSON enters here; the shape is that of the Connect protocol.
  const { error } = JSON.parse(bytes.toString()) as { error?: object };
  return error === undefined ? undefined : fromJson(Buffer.from(JSON.stringify(error)));
}

function fromJson(bytes: Buffer): ConnectError | undefined {
  if (bytes.length === 0 || bytes[0] !== 0x7b) return undefined;
  // JSON enters here; the shape is that of the Connect protocol.
  const body = JSON.parse(bytes.toString()) as {
    code?: string | number;
    message?: string;
    details?: { type: string; value: string }[];
  };
  // A path of the REST face: its errors are google.rpc.Status, and the HTTP status says what has to be judged.
  if (typeof body.code === "number" || "error" in body) return undefined;
  const code = body.code === undefined ? Code.Unknown : codeFromString(body.code);
  const error = new ConnectError(body.message ?? "", code ?? Code.Unknown);
  error.details = (body.details ?? []).map(({ type, value }) => ({
    type,
    value: base64Decode(value),
  }));
  return error;
}
