import type { IncomingMessage } from "node:http";

/** Target of a request to a proxy, which every server has to take too (RFC 9112, section 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;
/** A media type whose only parameter says what is the case anyway; quoted it means the same (RFC 9110, section 5.6.6). */
const UTF8 = /^([a-z]+\/[a-z0-9.+-]+)\s*;\s*charset="?utf-?8"?\s*;?\s*$/i;

/** Brings a request into the one form that everything behind it reads. */
export function normalise(request: IncomingMessage): void {
  const [, authority, path = ""] = ABSOLUTE.exec(request.url ?? "") ?? [];
  if (authority !== undefined) {
    request.url = path.startsWith("/") ? path : `/${path}`;
    // The target counts, whatever the header says.
    request.headers.host = authority;
  }
  const type = UTF8.exec(request.headers["content-type"] ?? "")?.[1];
  if (type !== undefined) request.headers["content-type"] = type;
}
