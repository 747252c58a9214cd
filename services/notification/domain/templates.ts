import type { Channel, Content, Template } from "./notification.ts";

/** A message as the reader sees it. */
export interface Rendered {
  /** Empty for an SMS. */
  readonly subject: string;
  readonly body: string;
}

/** Longest value of a variable in a text; a longer one is cut, so that a message stays a message. */
const VALUE_LENGTH_MAX = 200;
/** An SMS of 70 characters fits one part in every alphabet; three parts are the limit. */
const SMS_LENGTH_MAX = 210;

interface Wording {
  readonly subject: (say: Say) => string;
  readonly headline: (say: Say) => string;
  /** Sentences below the headline; an empty one is left out. */
  readonly details: (say: Say) => readonly string[];
}

/**
 * Known variables: `amount` (`12.50 USD`), `authorized` (what was set aside, where less was taken), `description` (what it was for), `failure` (a sentence why not), `orderId`.
 * `say("amount", (amount) => `of ${amount} `)` is empty when the variable is missing, so that no gap shows.
 */
type Say = (name: string, words: (value: string) => string) => string;

const WORDINGS: Readonly<Record<Template, Wording>> = {
  PAYMENT_SUCCEEDED: {
    subject: (say) => `Your payment${say("amount", (amount) => ` of ${amount}`)} went through`,
    headline: (say) => `Your payment${say("amount", (amount) => ` of ${amount}`)} went through.`,
    details: (say) => [
      say(
        "authorized",
        (amount) => `Of the ${amount} that were set aside, the rest is yours again.`,
      ),
      say("description", (text) => `It was for: ${text}`),
    ],
  },
  PAYMENT_FAILED: {
    subject: (say) => `Your payment${say("amount", (amount) => ` of ${amount}`)} failed`,
    headline: (say) =>
      `Your payment${say("amount", (amount) => ` of ${amount}`)} failed. Nothing was charged.`,
    details: (say) => [
      say("failure", (why) => `Reason: ${why}`),
      say("description", (text) => `It was for: ${text}`),
    ],
  },
  PAYMENT_CANCELLED: {
    subject: (say) => `Your payment${say("amount", (amount) => ` of ${amount}`)} was cancelled`,
    headline: (say) =>
      `Your payment${say("amount", (amount) => ` of ${amount}`)} was cancelled. Nothing was charged.`,
    details: (say) => [
      say("failure", (why) => `Reason: ${why}`),
      say("description", (text) => `It was for: ${text}`),
    ],
  },
  PAYMENT_REFUNDED: {
    subject: (say) => `Your refund${say("amount", (amount) => ` of ${amount}`)} is on its way`,
    headline: (say) => `We refunded you${say("amount", (amount) => ` ${amount}`)}.`,
    details: (say) => [
      say("failure", (why) => `Reason: ${why}`),
      say("description", (text) => `The payment was for: ${text}`),
    ],
  },
};

/** Writes the message. Total: every variable may be missing, empty, long, or contain line breaks. */
export function render(content: Content): Rendered {
  const wording = WORDINGS[content.template];
  const say: Say = (name, words) => {
    const value = oneLine(content.variables.get(name) ?? "");
    return value === "" ? "" : words(value);
  };
  return channelText(content.channel, wording, say, content.paymentId);
}

function channelText(channel: Channel, wording: Wording, say: Say, paymentId: string): Rendered {
  const details = wording.details(say).filter((sentence) => sentence !== "");
  if (channel === "SMS") {
    const text = [wording.headline(say), ...details].join(" ");
    return { subject: "", body: cut(text, SMS_LENGTH_MAX) };
  }
  const references = [
    say("orderId", (id) => `Order: ${id}`),
    paymentId === "" ? "" : `Payment: ${oneLine(paymentId)}`,
  ].filter((line) => line !== "");
  const blocks = [wording.headline(say), details.join("\n"), references.join("\n")];
  const body = `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
  return { subject: wording.subject(say), body };
}

/** A value from outside must not begin a new line: in a subject it would be a new header. */
function oneLine(value: string): string {
  return cut(value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim(), VALUE_LENGTH_MAX);
}

/** Counts characters as people do, so that no emoji is cut in half. */
function cut(text: string, lengthMax: number): string {
  const characters = [...text];
  if (characters.length <= lengthMax) return text;
  return `${characters.slice(0, lengthMax - 1).join("")}…`;
}
