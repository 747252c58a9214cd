import { expect, test } from "vitest";
import { signWebhook, verifyWebhook } from "#kit/webhook.ts";

const NOW_MS = 1_700_000_000_000;
const NOW_S = NOW_MS / 1000;
const BODY = Buffer.from('{"event_id":"e1"}');

function verify(header: string | undefined, overrides: object = {}) {
  return verifyWebhook({ secrets: ["s1"], header, rawBody: BODY, nowMs: NOW_MS, ...overrides });
}

test("accepts what the secret's owner signed, so that true callbacks take effect", () => {
  expect(verify(signWebhook("s1", NOW_S, BODY))).toBe("ok");
  expect(verify(signWebhook("s1", NOW_S, BODY.toString()))).toBe("ok");
});

test("signs the way the wire format says, so that others can build a sender", () => {
  expect(signWebhook("secret", 1, "a")).toBe(
    "t=1,v1=2050a57899f2ba7b2ecea859c80b6616ced3f5ea70f000992acefe095f6c007b",
  );
});

test("refuses any single flipped bit of the body, so that nothing can be altered on the way", () => {
  const header = signWebhook("s1", NOW_S, BODY);
  for (let bit = 0; bit < BODY.length * 8; bit += 1) {
    const altered = Buffer.from(BODY);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(verify(header, { rawBody: altered })).toBe("forged");
  }
});

test("refuses any single changed digit of the signature, so that a part of it proves nothing", () => {
  const header = signWebhook("s1", NOW_S, BODY);
  const start = header.indexOf("v1=") + "v1=".length;
  for (let place = start; place < header.length; place += 1) {
    const digit = header[place] === "0" ? "1" : "0";
    expect(verify(`${header.slice(0, place)}${digit}${header.slice(place + 1)}`)).toBe("forged");
  }
});

test("refuses another secret, an empty one and none, so that a gap in configuration opens nothing", () => {
  expect(verify(signWebhook("s2", NOW_S, BODY))).toBe("forged");
  expect(verify(signWebhook("", NOW_S, BODY), { secrets: [""] })).toBe("forged");
  expect(verify(signWebhook("s1", NOW_S, BODY), { secrets: [] })).toBe("forged");
});

test("accepts either secret and either signature while a secret is rotated", () => {
  const old = signWebhook("old", NOW_S, BODY);
  expect(verify(old, { secrets: ["new", "old"] })).toBe("ok");
  const both = `${old},${signWebhook("new", NOW_S, BODY).split(",")[1]}`;
  expect(verify(both, { secrets: ["new"] })).toBe("ok");
  expect(verify(both, { secrets: ["third"] })).toBe("forged");
});

test("refuses a signature older or newer than 300 s, so that a recorded callback cannot be replayed later", () => {
  expect(verify(signWebhook("s1", NOW_S - 300, BODY))).toBe("ok");
  expect(verify(signWebhook("s1", NOW_S + 300, BODY))).toBe("ok");
  expect(verify(signWebhook("s1", NOW_S - 301, BODY))).toBe("expired");
  expect(verify(signWebhook("s1", NOW_S + 301, BODY))).toBe("expired");
});

test("refuses a moved timestamp, because the time is signed too", () => {
  const old = signWebhook("s1", NOW_S - 1000, BODY);
  expect(verify(old.replace(/^t=\d+/, `t=${NOW_S}`))).toBe("forged");
});

test("calls a header without one time and one well-formed signature malformed", () => {
  const good = signWebhook("s1", NOW_S, BODY);
  const hex = good.split("v1=")[1];
  for (const header of [
    undefined,
    "",
    `v1=${hex}`,
    `t=${NOW_S}`,
    `t=${NOW_S},v0=${hex}`,
    `t=${NOW_S},t=${NOW_S},v1=${hex}`,
    `t=1e9,v1=${hex}`,
    `t=-1,v1=${hex}`,
    `t=${NOW_S},v1=${hex?.slice(2)}`,
    `t=${NOW_S},v1=${"zz".repeat(32)}`,
    `${good}${`,v1=${hex}`.repeat(20)}`,
    "a".repeat(100_000),
  ]) {
    expect(verify(header)).toBe("malformed");
  }
});
