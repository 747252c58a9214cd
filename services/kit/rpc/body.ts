import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "../refusal.ts";

/** What the body of one request may take. */
export interface BodyLimits {
  /** How long it may take to arrive, in milliseconds. */
  readonly ms: number;
  /** Bytes of all bodies that the process holds at once. */
  readonly heldBytesMax: number;
}

/** Bytes of bodies that are held by this process, whatever port they came by. */
let heldBytes = 0;

/** Bytes that one request holds until it is over. */
export interface BodyLease {
  /** Fails with OVERLOADED when the process holds too much. */
  take(bytes: number): void;
  release(): void;
}

/** Takes from what the whole process may hold. */
export function leaseBody(heldBytesMax: number): BodyLease {
  let leased = 0;
  return {
    take(bytes) {
      if (heldBytes + bytes > heldBytesMax) {
        throw new Refusal("OVERLOADED", {
          message: "the server holds too many messages that have not arrived; retry after a while",
          metadata: { limit: "bodies" },
          retryAfterMs: 1_000,
        });
      }
      heldBytes += bytes;
      leased += bytes;
    },
    release() {
      heldBytes -= leased;
      leased = 0;
    },
  };
}

/** The same bytes, within the limits; else fails with what `refuse` makes of BODY_TOO_SLOW or OVERLOADED. */
export async function* boundedBody(
  body: AsyncIterable<Uint8Array>,
  lease: BodyLease,
  ms: number,
  refuse: (error: unknown) => unknown = (error) => error,
): AsyncGenerator<Uint8Array> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  late.catch(() => undefined);
  const timer = setTimeout(() => reject(refuse(new Refusal("BODY_TOO_SLOW"))), ms);
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), late]);
      if (next.done === true) return;
      take(lease, next.value.byteLength, refuse);
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: it settles when the caller sends more, which may be never.
    iterator.return?.()?.catch(() => undefined);
  }
}

function take(lease: BodyLease, bytes: number, refuse: (error: unknown) => unknown): void {
  try {
    lease.take(bytes);
  } catch (error) {
    throw refuse(error);
  }
}

/**
 * The whole body of a request that is no RPC. Fails with MESSAGE_TOO_LARGE, BODY_TOO_SLOW and OVERLOADED; what it holds
 * is given back when the response is over.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  bytesMax: number,
  limits: BodyLimits,
): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > bytesMax) throw new Refusal("MESSAGE_TOO_LARGE");
  const lease = leaseBody(limits.heldBytesMax);
  response.once("close", lease.release);
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Without `destroyOnReturn` an error would close the connection before it is answered.
  const body = request.iterator({ destroyOnReturn: false });
  for await (const chunk of boundedBody(body, lease, limits.ms)) {
    length += chunk.byteLength;
    if (length > bytesMax) throw new Refusal("MESSAGE_TOO_LARGE");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Refuses a body that is compressed or not JSON. A body that names no type is taken for JSON. */
export function requireJson(headers: IncomingHttpHeaders): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    throw new Refusal("UNSUPPORTED_MEDIA_TYPE", { message: "send the body without compression" });
  }
  const [type = "", ...parameters] = (headers["content-type"] ?? "application/json")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  const utf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (type !== "application/json" || !utf8) throw new Refusal("UNSUPPORTED_MEDIA_TYPE");
}
