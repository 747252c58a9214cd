import { expect, test } from "vitest";
import { readGatewayConfig } from "#services/gateway/config.ts";

const SETTLE_GATEWAY_SECRET = "0123456789abcdef";

test("has the documented defaults, so that only the secret must be set", () => {
  expect(readGatewayConfig({ SETTLE_GATEWAY_SECRET })).toMatchObject({
    port: 8010,
    behaviour: "OK",
    flakyAttempts: 3,
    callbackUrl: "http://127.0.0.1:8004/callbacks/gateway/mock",
    callbackDelayMs: 1_000,
    lateCallbackDelayMs: 360_000,
    secret: SETTLE_GATEWAY_SECRET,
  });
});

test("follows the payment service to its address", () => {
  const env = { SETTLE_GATEWAY_SECRET, SETTLE_URL_PAYMENT: "http://payment:9" };
  expect(readGatewayConfig(env).callbackUrl).toBe("http://payment:9/callbacks/gateway/mock");
});

test.each([undefined, ""])("refuses to start without a secret (%j)", (secret) => {
  expect(() => readGatewayConfig({ SETTLE_GATEWAY_SECRET: secret })).toThrow(
    /SETTLE_GATEWAY_SECRET is not set/,
  );
});

test("names every mistake at once and never prints a secret", () => {
  const env = {
    SETTLE_GATEWAY_SECRET: "too-short-one",
    SETTLE_GATEWAY_BEHAVIOUR: "SOMETIMES",
    SETTLE_GATEWAY_CALLBACK_URL: "ftp://x",
    SETTLE_GATEWAY_CALLBACK_DELAY: "soon",
  };
  const read = () => readGatewayConfig(env);
  for (const name of Object.keys(env)) expect(read).toThrow(name);
  expect(read).toThrow("is too short");
  expect(read).not.toThrow("too-short-one");
});
