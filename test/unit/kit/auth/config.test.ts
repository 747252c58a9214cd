import { describe, expect, test } from "vitest";
import { readSecurityConfig } from "#kit/auth/config.ts";
import { type Env, EnvReader } from "#kit/config.ts";

const SERVICE_KEY = "0123456789abcdef0123456789abcdef";
const PRODUCTION = { SETTLE_MODE: "production", SETTLE_SERVICE_KEY: SERVICE_KEY };
const JWT = { SETTLE_JWT_JWKS: "keys.json", SETTLE_JWT_ISSUER: "i", SETTLE_JWT_AUDIENCE: "a" };

function read(env: Env, host = "127.0.0.1") {
  const reader = new EnvReader(env);
  const config = readSecurityConfig(reader, host);
  reader.finish();
  return config;
}

describe("a process starts", () => {
  test.each(["127.0.0.1", "127.9.9.9", "::1", "localhost"])("in development on %s", (host) => {
    expect(read({}, host).mode).toBe("development");
  });

  test("in production with a service key, on a trusted network also in the clear", () => {
    const env = { SETTLE_MODE: "production", SETTLE_SERVICE_KEY: `${SERVICE_KEY},${SERVICE_KEY}x` };
    expect(read(env).serviceKeys).toEqual([SERVICE_KEY, `${SERVICE_KEY}x`]);
    expect(read({ ...env, SETTLE_INSECURE_PLAINTEXT: "1" }, "0.0.0.0").serverTls).toBeUndefined();
  });

  test("with TLS anywhere, and shows its own certificate to peers when it has no other", () => {
    const env = { SETTLE_MODE: "production", SETTLE_SERVICE_KEY: SERVICE_KEY };
    const tls = { SETTLE_TLS_CERT: "c.pem", SETTLE_TLS_KEY: "k.pem", SETTLE_TLS_CA: "ca.pem" };
    const config = read({ ...env, ...tls, SETTLE_TLS_CLIENT_AUTH: "require" }, "0.0.0.0");
    expect(config.peerTls).toEqual({ cert: "c.pem", key: "k.pem", ca: "ca.pem" });
    expect(config.clientCertificates).toBe(true);
    const other = { SETTLE_TLS_CLIENT_CERT: "cc.pem", SETTLE_TLS_CLIENT_KEY: "ck.pem" };
    expect(read({ ...env, ...tls, ...other }).peerTls?.cert).toBe("cc.pem");
    expect(read({ ...env, SETTLE_TLS_CA: "ca.pem" }).peerTls).toEqual({ ca: "ca.pem" });
  });
});

describe("a process refuses to start", () => {
  test.each<[string, Env, string, RegExp]>([
    ["open to a network", {}, "0.0.0.0", /SETTLE_MODE=development: anybody could call/],
    [
      "open to a network, plaintext allowed",
      { SETTLE_INSECURE_PLAINTEXT: "1" },
      "::",
      /anybody could call/,
    ],
    ["on a name that only looks local", {}, "localhost.example.com", /anybody could call/],
    [
      "in production without a service key",
      { SETTLE_MODE: "production" },
      "127.0.0.1",
      /SETTLE_SERVICE_KEY is not set/,
    ],
    [
      "with a service key one could guess",
      { ...PRODUCTION, SETTLE_SERVICE_KEY: "short" },
      "127.0.0.1",
      /at least 32/,
    ],
    ["in a mode that is none", { SETTLE_MODE: "open" }, "127.0.0.1", /expected one of/],
    ["in the clear on a network", PRODUCTION, "0.0.0.0", /without TLS/],
    ["with half a certificate", { SETTLE_TLS_CERT: "c.pem" }, "127.0.0.1", /belong together/],
    [
      "checking certificates against nobody",
      { SETTLE_TLS_CLIENT_AUTH: "require" },
      "127.0.0.1",
      /needs SETTLE_TLS_CERT/,
    ],
    [
      "with tokens of any audience",
      { ...JWT, SETTLE_JWT_AUDIENCE: "" },
      "127.0.0.1",
      /belong together/,
    ],
    [
      "with symmetric tokens",
      { ...JWT, SETTLE_JWT_ALGORITHMS: "HS256" },
      "127.0.0.1",
      /expected some of/,
    ],
    [
      "with unsigned tokens",
      { ...JWT, SETTLE_JWT_ALGORITHMS: "none" },
      "127.0.0.1",
      /expected some of/,
    ],
    [
      "with keys that come over an open network",
      { ...JWT, SETTLE_JWT_JWKS: "http://example.com/jwks" },
      "127.0.0.1",
      /https URL/,
    ],
  ])("%s", (_, env, host, message) => {
    expect(() => read(env, host)).toThrow(message);
  });

  test.each([
    ["that are addresses with ports", { SETTLE_HOSTS: "a.example:8080" }, /without ports/],
    ["that are no names", { SETTLE_HOSTS: "a.example, b/c" }, /host names/],
    [
      "of proxies that are no networks",
      { SETTLE_TRUSTED_PROXIES: "10.0.0.0/33" },
      /10\.0\.0\.0\/8/,
    ],
    ["of tokens that are no types", { ...JWT, SETTLE_JWT_TYPES: "jwt,a b" }, /at\+jwt/],
  ])("with names %s", (_, env, message) => {
    expect(() => read(env, "127.0.0.1")).toThrow(message);
  });

  test("and never repeats a secret in what it says", () => {
    const secret = "a b c-secret-with-spaces-in-it-and-long-enough";
    expect(() => read({ SETTLE_SERVICE_KEY: secret })).toThrow(/SETTLE_SERVICE_KEY/);
    expect(() => read({ SETTLE_SERVICE_KEY: secret })).not.toThrow(new RegExp(secret));
  });
});

describe("a port", () => {
  test("in development goes by the names of this machine only, in production by any, and by those it is given", () => {
    expect(read({}).hosts).toEqual([]);
    expect(read(PRODUCTION).hosts).toBe("any");
    expect(read({ SETTLE_HOSTS: "Pay.Example, [::2]" }).hosts).toEqual(["pay.example", "[::2]"]);
  });

  test("keeps idle connections longer than common balancers do, so that these close first", () => {
    expect(read({}).keepAliveMs).toBeGreaterThan(600_000);
    expect(read({ SETTLE_KEEP_ALIVE: "30s" }).keepAliveMs).toBe(30_000);
  });

  test("takes tokens of a day at most, of types for access", () => {
    expect(read(JWT).jwt).toMatchObject({ types: ["jwt", "at+jwt"], lifetimeMaxMs: 86_400_000 });
    const env = { ...JWT, SETTLE_JWT_TYPES: "at+jwt, none", SETTLE_JWT_LIFETIME_MAX: "1h" };
    expect(read(env).jwt).toMatchObject({ types: ["at+jwt", "none"], lifetimeMaxMs: 3_600_000 });
  });
});
