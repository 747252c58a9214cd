import parsePhoneNumber from "libphonenumber-js";
import { no, ok, type Result } from "#kit/pure/result.ts";
import type { Channel } from "./notification.ts";

const ACCOUNT = /^[A-Za-z0-9._:-]{1,64}$/;
const EMAIL = /^[^\s@<>(),;:\\"[\]]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;

/** Domain of the addresses development makes up; reserved for tests by RFC 2606, so no mail ever leaves. */
const DEVELOPMENT_DOMAIN = "settle.test";

/**
 * The address a recipient is reached at. An account id has none yet, so development makes one up: an e-mail address
 * of a reserved domain, or a phone number of the unassigned country code 999. An address of the other channel is
 * INVALID_FIELD.
 */
export function addressOf(recipient: string, channel: Channel): Result<string, "INVALID_FIELD"> {
  if (channel === "EMAIL" && EMAIL.test(recipient)) return ok(recipient);
  const phone = channel === "SMS" ? phoneNumber(recipient) : undefined;
  if (phone !== undefined) return ok(phone);
  if (!ACCOUNT.test(recipient)) return no("INVALID_FIELD");
  return ok(channel === "EMAIL" ? developmentEmail(recipient) : developmentPhone(recipient));
}

/** A number as people write it, with its country code, as E.164; undefined when no number can be so. */
function phoneNumber(text: string): string | undefined {
  if (!text.startsWith("+")) return undefined;
  const parsed = parsePhoneNumber(text, { extract: false });
  return parsed?.isPossible() && parsed.ext === undefined ? parsed.number : undefined;
}

/** Colons, and dots at places where an address may not have them, are written as `=3A` and `=2E`. */
function developmentEmail(accountId: string): string {
  const local = accountId.replaceAll(":", "=3A").replaceAll(/^\.|\.$|(?<=\.)\./g, "=2E");
  return `${local}@${DEVELOPMENT_DOMAIN}`;
}

/** FNV-1a: only that the same account gets the same number. */
function developmentPhone(accountId: string): string {
  let hash = 0x811c9dc5;
  for (const character of accountId) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return `+999${String(hash).padStart(10, "0")}`;
}
