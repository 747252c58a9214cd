import { createHmac, timingSafeEqual } from "node:crypto";

/** Header that carries the signature of a webhook. */
export const SIGNATURE_HEADER = "signature";
/** How far the sender's clock may be from ours, in milliseconds. */
export const WEBHOOK_TOLERANCE_MS = 300_000;

/** More signatures than a rotation of secrets needs are not looked at, so that a header costs little. */
const SIGNATURES_MAX = 8;
const HEADER_LENGTH_MAX = 1_024;

/** What came in, and what it is checked against. */
export interface WebhookCheck {
  /** Every active secret; several while one is rotated. An empty list or an empty secret verifies nothing. */
  readonly secrets: readonly string[];
  /** The `Signature` header as it came, undefined when there was none. */
  readonly header: string | undefined;
  /** The body before any parsing: one changed byte makes it forged. */
  readonly rawBody: Uint8Array;
  readonly nowMs: number;
  /** Largest distance of the signed time from now, either way. Default 300 s. */
  readonly toleranceMs?: number;
}

/** `malformed`: no header of the form. `expired`: its time is too far from now. `forged`: no secret made it. */
export type WebhookVerdict = "ok" | "malformed" | "expired" | "forged";

/** Signs a body: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<raw body>">`. */
export function signWebhook(
  secret: string,
  timestampSeconds: number,
  rawBody: Uint8Array | string,
): string {
  return `t=${timestampSeconds},v1=${digest(secret, String(timestampSeconds), rawBody).toString("hex")}`;
}

/** Signs a body by each of several secrets, as while one is rotated: `t=…,v1=…,v1=…`. */
export function signWebhookByAll(
  secrets: readonly string[],
  timestampSeconds: number,
  rawBody: Uint8Array | string,
): string {
  const signatures = secrets.map(
    (secret) => `v1=${digest(secret, String(timestampSeconds), rawBody).toString("hex")}`,
  );
  return [`t=${timestampSeconds}`, ...signatures].join(",");
}

/** Checks a signature in constant time. The signature is checked before the time, so that nobody can probe our clock. */
export function verifyWebhook(check: WebhookCheck): WebhookVerdict {
  const parsed = parseHeader(check.header);
  if (parsed === undefined) return "malformed";
  if (!matches(check, parsed)) return "forged";
  const distanceMs = Math.abs(check.nowMs - Number(parsed.timestamp) * 1000);
  return distanceMs <= (check.toleranceMs ?? WEBHOOK_TOLERANCE_MS) ? "ok" : "expired";
}

interface SignatureHeader {
  /** As it was written: the text is what was signed. */
  readonly timestamp: string;
  readonly signatures: readonly Buffer[];
}

function matches(check: WebhookCheck, header: SignatureHeader): boolean {
  let found = false;
  for (const secret of check.secrets) {
    // An empty secret would be a signature that anybody can make.
    if (secret === "") continue;
    const expected = digest(secret, header.timestamp, check.rawBody);
    // No early exit: the time taken must not tell which secret or signature matched.
    for (const signature of header.signatures) {
      if (timingSafeEqual(expected, signature)) found = true;
    }
  }
  return found;
}

function parseHeader(header: string | undefined): SignatureHeader | undefined {
  if (header === undefined || header.length > HEADER_LENGTH_MAX) return undefined;
  const timestamps: string[] = [];
  const signatures: Buffer[] = [];
  for (const part of header.split(",")) {
    const pair = /^\s*([a-z0-9]+)=(\S+)\s*$/.exec(part);
    if (pair?.[1] === "t") timestamps.push(pair[2] ?? "");
    if (pair?.[1] === "v1" && /^[0-9a-f]{64}$/.test(pair[2] ?? "")) {
      signatures.push(Buffer.from(pair[2] ?? "", "hex"));
    }
  }
  const [timestamp] = timestamps;
  if (timestamp === undefined || timestamps.length > 1 || !/^\d{1,11}$/.test(timestamp)) {
    return undefined;
  }
  if (signatures.length === 0 || signatures.length > SIGNATURES_MAX) return undefined;
  return { timestamp, signatures };
}

function digest(secret: string, timestamp: string, rawBody: Uint8Array | string): Buffer {
  return createHmac("sha256", secret).update(`${timestamp}.`).update(rawBody).digest();
}
