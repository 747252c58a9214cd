import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** How every API key begins, so that scanners of leaked secrets and people know one when they see it. */
export const KEY_PREFIX = "sk_";

const SECRET_BYTES = 32;
const ID_BYTES = 10;
const ID_LENGTH = 16;
const FORMAT = /^sk_([a-z0-9]{1,32})_([A-Za-z0-9_-]{43})$/;

/** An API key taken apart: a public id, and 256 random bits. */
export interface KeyText {
  readonly id: string;
  readonly secret: string;
}

/** A new key for an id and 32 secret bytes; the text is stored nowhere. */
export function makeKey(
  id: string,
  bytes: Uint8Array = randomBytes(SECRET_BYTES),
): { readonly text: string; readonly hash: string } {
  const secret = Buffer.from(bytes).toString("base64url");
  return { text: `${KEY_PREFIX}${id}_${secret}`, hash: hashSecret(secret) };
}

/** A public id of the first 80 of some random bits, so that nobody finds keys by counting. */
export function makeKeyId(bytes: Buffer): string {
  return BigInt(`0x${bytes.subarray(0, ID_BYTES).toString("hex")}`)
    .toString(36)
    .padStart(ID_LENGTH, "0");
}

/** The parts of a key, or undefined when the text is none. */
export function parseKey(text: string): KeyText | undefined {
  const [, id, secret] = FORMAT.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** SHA-256 in base64url. A secret of 256 random bits needs no salt and no slow hash. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares two hashes or secrets without telling by its time where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b))];
  return timingSafeEqual(left, right);
}
