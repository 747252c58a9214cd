import { fromJsonString } from "@bufbuild/protobuf";
import { type WebhookEvent, WebhookEventSchema } from "#gen/notification/v1/webhook_pb.ts";

/** What came in, and what it is checked against. */
export interface VerifyWebhookOptions {
  /** The body as it came, before any parsing: one changed byte makes it forged. */
  readonly body: string | Uint8Array;
  /** The `Signature` header as it came; undefined or null when there was none. */
  readonly signature: string | null | undefined;
  /** The endpoint's secrets: all that may sign now, several while one is rotated. */
  readonly secrets: readonly string[];
  /** How far the signed time may be from now, either way, in milliseconds. Default 300,000. */
  readonly toleranceMs?: number;
  /** Now, in milliseconds since 1970. For tests. */
  readonly nowMs?: number;
}

/** `malformed`: no header of the form. `expired`: signed too long ago. `forged`: no secret made it. `unreadable`: signed, but no event. */
export type WebhookFault = "malformed" | "expired" | "forged" | "unreadable";

/** A delivery that must not be acted on; answer it with 400. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly fault: WebhookFault;

  constructor(fault: WebhookFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.fault = fault;
  }
}

const TOLERANCE_MS = 300_000;
const HEADER_LENGTH_MAX = 1_024;
const SIGNATURES_MAX = 8;

/**
 * The event of a delivery whose signature one of the secrets made. Fails with a WebhookError. The same event may come
 * again and out of order: keep its `eventId`, and go by `sequence`.
 */
export async function verifyWebhook(options: VerifyWebhookOptions): Promise<WebhookEvent> {
  const { body, signature, secrets, toleranceMs = TOLERANCE_MS, nowMs = Date.now() } = options;
  const secretsGiven = secrets.filter((secret) => secret !== "");
  if (secretsGiven.length === 0) throw new TypeError("secrets is empty: nothing can be verified");
  const { timestamp, signatures } = readHeader(signature ?? "");
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const signed = concat(new TextEncoder().encode(`${timestamp}.`), bytes);
  let isSigned = false;
  // No early exit: the time taken must not tell which secret or signature matched.
  for (const secret of secretsGiven) {
    for (const one of signatures) {
      if (await isSignedBy(secret, one, signed)) isSigned = true;
    }
  }
  if (!isSigned) throw new WebhookError("forged", "no secret of this endpoint made the signature");
  // The signature comes first, so that nobody can probe our clock.
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > toleranceMs)
    throw new WebhookError(
      "expired",
      `the delivery was signed more than ${toleranceMs} ms from now`,
    );
  try {
    return fromJsonString(WebhookEventSchema, new TextDecoder().decode(bytes), {
      ignoreUnknownFields: true,
    });
  } catch (error) {
    throw new WebhookError("unreadable", "the body is no event of Settle", error);
  }
}

/** Reads `t=<unix seconds>,v1=<hex>[,v1=<hex>]`. */
function readHeader(header: string): {
  timestamp: string;
  signatures: readonly Uint8Array<ArrayBuffer>[];
} {
  const parts = header.length > HEADER_LENGTH_MAX ? [] : header.split(",");
  const values = (key: string): string[] =>
    parts
      .map((part) => part.trim())
      .filter((part) => part.startsWith(`${key}=`))
      .map((part) => part.slice(key.length + 1));
  const [timestamp, ...more] = values("t");
  const signatures = values("v1").filter((hex) => /^[0-9a-f]{64}$/.test(hex));
  const isWhole = timestamp !== undefined && more.length === 0 && /^\d{1,11}$/.test(timestamp);
  if (!isWhole || signatures.length === 0 || signatures.length > SIGNATURES_MAX) {
    throw new WebhookError("malformed", "the Signature header is missing or is not t=…,v1=…");
  }
  return { timestamp, signatures: signatures.map(fromHex) };
}

/** By WebCrypto, which Node and browsers have, and which compares in constant time. */
async function isSignedBy(
  secret: string,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, signature, signed);
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
