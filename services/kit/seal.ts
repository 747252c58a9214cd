import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
} from "node:crypto";
import type { EnvReader } from "./config.ts";

/**
 * Keeps secrets that must be shown or used again out of the database, which holds them sealed (AES-256-GCM) and never
 * the key. `place` says whose the secret is: what was moved to another place does not open.
 */
export interface Sealer {
  seal(clear: Uint8Array, place: string): Buffer;
  /** Throws `SealBroken` when the place or a byte is another, or the key is not configured any more. */
  open(sealed: Uint8Array, place: string): Buffer;
  /** 32 bytes that this name has under the first key: the same at every call, stored nowhere. */
  derive(name: string): Buffer;
}

/** A sealed secret that cannot be had back. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
}

const KEY_LENGTH_MIN = 32;
/** Length of the key id that a sealed text begins with. */
export const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";
const TAG = { authTagLength: TAG_BYTES } as const;

interface SealingKey {
  /** Stands before what it sealed, so that the right key opens it after a rotation. */
  readonly id: Buffer;
  readonly encryption: Buffer;
  readonly derivation: Buffer;
}

/** A sealer of one or more keys: the first seals and derives, all open. */
export function createSealer(keys: readonly string[]): Sealer {
  const known = keys.map(sealingKey);
  const [first] = known;
  if (first === undefined) throw new Error("a sealer needs a key");
  return {
    seal(clear, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, first.encryption, nonce, TAG).setAAD(
        Buffer.from(place),
      );
      const body = Buffer.concat([cipher.update(clear), cipher.final()]);
      return Buffer.concat([first.id, nonce, body, cipher.getAuthTag()]);
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed);
      const id = bytes.subarray(0, KEY_ID_BYTES);
      const key = known.find((one) => one.id.equals(id));
      if (key === undefined) throw new SealBroken("sealed by a key that is not configured");
      return openBy(key, bytes.subarray(KEY_ID_BYTES), place);
    },
    derive: (name) => createHmac("sha256", first.derivation).update(name).digest(),
  };
}

function openBy({ encryption }: SealingKey, sealed: Buffer, place: string): Buffer {
  try {
    const decipher = createDecipheriv(CIPHER, encryption, sealed.subarray(0, NONCE_BYTES), TAG);
    decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-TAG_BYTES));
    const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (cause) {
    throw new SealBroken("changed, or sealed for another place", { cause });
  }
}

/** One key per use: what one of them gives away says nothing about the other. */
function sealingKey(text: string): SealingKey {
  const part = (use: string): Buffer => Buffer.from(hkdfSync("sha256", text, "settle", use, 32));
  const encryption = part("seal");
  const id = createHash("sha256").update(encryption).digest().subarray(0, KEY_ID_BYTES);
  return { id, encryption, derivation: part("derive") };
}

/** The keys of a sealer as a setting lists them, with commas between; `expected` begins the sentence about a short one. */
export function parseKeys(text: string, expected = "expected keys"): readonly string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.every(({ length }) => length >= KEY_LENGTH_MIN)) return parts;
  throw new Error(`${expected} of at least ${KEY_LENGTH_MIN} characters`);
}

/**
 * Reads `SETTLE_SEALING_KEY`: random texts of at least 32 characters, with commas between while one is rotated. Must
 * be set; a development start makes one by itself.
 */
export function readSealer(reader: EnvReader): Sealer {
  /** Seals secrets at rest: random texts of at least 32 characters, with commas between while one is rotated. */
  const keys = reader.readHidden<readonly string[]>("SETTLE_SEALING_KEY", [], (text) =>
    parseKeys(text),
  );
  if (keys.length > 0) return createSealer(keys);
  reader.mistake(
    "SETTLE_SEALING_KEY is not set: secrets cannot be stored; set one random text of at least " +
      `${KEY_LENGTH_MIN} characters (a development start makes one by itself)`,
  );
  // Never used: the mistake above ends the start.
  return createSealer([""]);
}
