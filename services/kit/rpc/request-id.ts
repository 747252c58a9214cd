import { uuidv7 } from "../ids.ts";

/** Names one request in logs and errors; taken from the caller or made. */
export const REQUEST_ID_HEADER = "x-request-id";

/** Printable and harmless in a log line or a header. */
const SAFE = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** The caller's id when it is safe to repeat, else a new one. */
export function requestIdOf(header: string | string[] | null | undefined): string {
  return typeof header === "string" && SAFE.test(header) ? header : uuidv7();
}
