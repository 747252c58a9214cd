import type { Acceptance } from "./mail.ts";

/** A text message. */
export interface Sms {
  /** E.164. */
  readonly to: string;
  readonly text: string;
  /** The provider drops a second message with the same key. */
  readonly idempotencyKey: string;
}

/** Hands a message to the provider. Throws when it may be tried again: no answer, 408, 425, 429, 5xx, a bad token. */
export type SendSms = (sms: Sms, signal: AbortSignal) => Promise<Acceptance>;

/** How long the provider may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Refusals that concern the moment or our token, not the message. */
const NOT_NOW = new Set([401, 403, 408, 409, 425, 429]);

/** Sends by an HTTP provider: `POST url` with JSON `{to, text}` and `Idempotency-Key`; `token` goes as Bearer. */
export function createSmsSender(url: string, token: string): SendSms {
  return async ({ to, text, idempotencyKey }, signal) => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": idempotencyKey,
        ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ to, text }),
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    // The answer's text may be long or personal; its status says all.
    await response.body?.cancel();
    if (response.ok) return { kind: "TAKEN" };
    const error = `the SMS provider answered ${response.status}`;
    if (response.status >= 500 || NOT_NOW.has(response.status)) throw new Error(error);
    return { kind: "REFUSED", error };
  };
}
