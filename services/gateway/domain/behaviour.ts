import { unreachable } from "#kit/pure/assert.ts";
import type { Transaction } from "./transaction.ts";

/** How the mock treats an authorisation; the names are those of the contract without their prefix. */
export const BEHAVIOURS = [
  "OK",
  "CALLBACK",
  "FLAKY",
  "DECLINE",
  "HANG",
  "APPLY_THEN_DROP",
  "DUPLICATE_CALLBACK",
  "LATE_CALLBACK",
  "FORGED_CALLBACK",
  "NO_CALLBACK",
] as const;

/** One of `BEHAVIOURS`. */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** How the payer pays. */
export type Method =
  | { readonly kind: "mock"; readonly behaviour: Behaviour; readonly flakyAttempts: number }
  | { readonly kind: "card_token"; readonly token: string };

/** How long an authorisation that is not answered at once takes, in milliseconds. */
export interface Delays {
  /** How long after the call a callback is sent, in milliseconds. */
  readonly callbackDelayMs: number;
  /** The same under LATE_CALLBACK, in milliseconds. */
  readonly lateCallbackDelayMs: number;
}

/** One callback to send. `event` tells events apart: equal numbers share an event id. */
export interface Sending {
  readonly event: number;
  /** Signed with a secret that is not the merchant's, and a lie. */
  readonly forged: boolean;
}

/** What happens later: the authorisation takes effect, then the sendings go out in order. */
export interface Upcoming {
  readonly delayMs: number;
  readonly sendings: readonly Sending[];
}

/** How an authorisation begins once it gets through. */
export interface Opening {
  readonly transaction: Pick<Transaction, "state" | "upcoming" | "dropsAnswers" | "declineReason">;
  readonly upcoming: Upcoming | null;
}

/** Most callbacks one behaviour sends. */
export const BEHAVIOUR_EVENTS_MAX = 3;

const TRUE: Sending = { event: 0, forged: false };
const SECOND: Sending = { event: 1, forged: false };
const FORGED: Sending = { event: 2, forged: true };

/** What the mock makes of an Authorize call that reaches its book. HANG never does. */
export function openingOf(method: Method, delays: Delays): Opening {
  if (method.kind === "card_token") return cardOpening(method.token);
  const { callbackDelayMs, lateCallbackDelayMs } = delays;
  switch (method.behaviour) {
    case "OK":
    case "FLAKY":
    case "HANG":
      return atOnce("AUTHORIZED");
    case "APPLY_THEN_DROP": {
      const opening = atOnce("AUTHORIZED");
      return { ...opening, transaction: { ...opening.transaction, dropsAnswers: true } };
    }
    case "DECLINE":
      return atOnce("DECLINED", "card_declined");
    case "CALLBACK":
      return later("ON_TIME", callbackDelayMs, [TRUE]);
    case "DUPLICATE_CALLBACK":
      return later("ON_TIME", callbackDelayMs, [TRUE, TRUE, SECOND]);
    case "FORGED_CALLBACK":
      return later("ON_TIME", callbackDelayMs, [FORGED, TRUE]);
    case "NO_CALLBACK":
      return later("ON_TIME", callbackDelayMs, []);
    case "LATE_CALLBACK":
      return later("EVEN_IF_VOIDED", lateCallbackDelayMs, [TRUE]);
    default:
      return unreachable(method.behaviour);
  }
}

const DECLINING_TOKEN = "tok_decline";

/** `tok_decline_expired_card` is declined as `expired_card`, any other token is good. */
function cardOpening(token: string): Opening {
  if (!token.startsWith(DECLINING_TOKEN)) return atOnce("AUTHORIZED");
  const said = token.slice(DECLINING_TOKEN.length).replace(/^[_-]+/, "");
  return atOnce("DECLINED", said === "" ? "card_declined" : said);
}

function atOnce(state: "AUTHORIZED" | "DECLINED", declineReason = ""): Opening {
  const transaction = { state, upcoming: "NONE", dropsAnswers: false, declineReason } as const;
  return { transaction, upcoming: null };
}

function later(
  upcoming: "ON_TIME" | "EVEN_IF_VOIDED",
  delayMs: number,
  sendings: readonly Sending[],
): Opening {
  const begin = { state: "PENDING", dropsAnswers: false, declineReason: "" } as const;
  return { transaction: { ...begin, upcoming }, upcoming: { delayMs, sendings } };
}
