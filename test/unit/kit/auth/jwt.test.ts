import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  SignJWT,
} from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "#kit/auth/authority.ts";
import { createTokenVerifier } from "#kit/auth/jwt.ts";
import { Refusal } from "#kit/refusal.ts";

const dir = mkdtempSync(path.join(tmpdir(), "settle-jwks-"));
const jwks = path.join(dir, "jwks.json");
const CONFIG = {
  issuer: "https://id.example.com",
  audience: "settle",
  algorithms: ["EdDSA", "ES256"],
  jwks,
  types: ["jwt", "at+jwt"],
  lifetimeMaxMs: 86_400_000,
} as const;
const NOW_S = Math.floor(Date.now() / 1_000);
const CLAIMS = {
  iss: CONFIG.issuer,
  aud: CONFIG.audience,
  sub: "alice",
  exp: NOW_S + 600,
  tenant: "shop-7",
  roles: ["payer", "merchant"],
  accounts: ["alice-usd"],
};
type Pair = { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };
let ours: Pair;
let rsa: Pair;
let theirs: Pair;

beforeAll(async () => {
  ours = await generateKeyPair("ES256", { extractable: true });
  rsa = await generateKeyPair("RS256", { extractable: true });
  theirs = await generateKeyPair("ES256", { extractable: true });
  writeFileSync(jwks, JSON.stringify(await keySet()));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function keySet() {
  const keys = [
    { ...(await exportJWK(ours.publicKey)), kid: "one" },
    { ...(await exportJWK(rsa.publicKey)), kid: "rsa" },
  ];
  return { keys };
}

/** Claims as an issuer could write them, missing and wrong ones included. */
type Claims = Readonly<Record<string, unknown>>;

function sign(
  claims: Claims,
  header: Partial<JWTHeaderParameters> = {},
  key = ours.privateKey,
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "one", typ: "JWT", ...header })
    .sign(key);
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Reason the token is refused with, or who calls. */
async function verify(token: string, verifier = createTokenVerifier(CONFIG)): Promise<unknown> {
  const authority = createAuthority({
    open: true,
    serviceKeys: [],
    findKey: async () => undefined,
    verifyToken: verifier,
  });
  try {
    return await authority.authenticate(
      new Headers({ authorization: `Bearer ${token}`, "settle-tenant": "other" }),
    );
  } catch (error) {
    return error instanceof Refusal ? error.reason : error;
  }
}

test("a good token says who calls, for which tenant, with which roles and accounts", async () => {
  expect(await verify(await sign(CLAIMS))).toEqual({
    tenant: "shop-7",
    subject: "alice",
    roles: ["payer", "merchant"],
    accounts: ["alice-usd"],
    credential: "token:shop-7/alice",
    expireMs: (NOW_S + 600) * 1_000,
  });
  expect(
    await verify(await sign({ ...CLAIMS, roles: "reviewer unheard-of", accounts: undefined })),
  ).toMatchObject({ roles: ["reviewer"], accounts: [] });
});

test("a token of an hour passes, whatever letters its type is written in; one without a type where that is set", async () => {
  const hour = { ...CLAIMS, iat: NOW_S, exp: NOW_S + 3_600 };
  for (const typ of ["at+jwt", "application/at+JWT", "jwt"])
    expect(await verify(await sign(hour, { typ }))).toMatchObject({ subject: "alice" });
  const untyped = createTokenVerifier({ ...CONFIG, types: ["none"] });
  const token = await sign(hour, { typ: undefined as never });
  expect(await verify(token, untyped)).toMatchObject({ subject: "alice" });
});

test("no token gives role service, for it acts for every tenant", async () => {
  expect(await verify(await sign({ ...CLAIMS, roles: ["service", "operator"] }))).toMatchObject({
    roles: ["operator"],
    tenant: "shop-7",
  });
});

describe("refuses", () => {
  test.each<[string, () => Promise<string> | string]>([
    ["alg none", () => `${part({ alg: "none", kid: "one" })}.${part(CLAIMS)}.`],
    ["alg none in other letters", () => `${part({ alg: "nOnE", kid: "one" })}.${part(CLAIMS)}.`],
    [
      "a public key used as the secret of HS256",
      async () => {
        const text = `${part({ alg: "HS256", kid: "one" })}.${part(CLAIMS)}`;
        return `${text}.${createHmac("sha256", await exportSPKI(ours.publicKey))
          .update(text)
          .digest("base64url")}`;
      },
    ],
    [
      "an algorithm that is not allowed, though its key is known",
      () => sign(CLAIMS, { alg: "RS256", kid: "rsa" }, rsa.privateKey),
    ],
    ["a signature by another key", () => sign(CLAIMS, {}, theirs.privateKey)],
    ["an unknown kid", () => sign(CLAIMS, { kid: "two" })],
    ["no kid", () => sign(CLAIMS, { kid: undefined as never })],
    [
      "a key the token brings itself",
      async () =>
        sign(CLAIMS, { kid: "two", jwk: await exportJWK(theirs.publicKey) }, theirs.privateKey),
    ],
    ["a type for another use", () => sign(CLAIMS, { typ: "logout+jwt" })],
    ["no type", () => sign(CLAIMS, { typ: undefined as never })],
    ["one that lives for a year", () => sign({ ...CLAIMS, exp: NOW_S + 31_536_000 })],
    [
      "one that lives longer than it may, though it ends soon",
      () => sign({ ...CLAIMS, iat: NOW_S - 86_400, exp: NOW_S + 600 }),
    ],
    ["an expired one", () => sign({ ...CLAIMS, exp: NOW_S - 60 })],
    ["one that never expires", () => sign({ ...CLAIMS, exp: undefined })],
    ["one that is not valid yet", () => sign({ ...CLAIMS, nbf: NOW_S + 600 })],
    ["another audience", () => sign({ ...CLAIMS, aud: "another" })],
    ["no audience", () => sign({ ...CLAIMS, aud: undefined })],
    ["another issuer", () => sign({ ...CLAIMS, iss: "https://evil.example.com" })],
    ["no subject", () => sign({ ...CLAIMS, sub: undefined })],
    ["no tenant", () => sign({ ...CLAIMS, tenant: undefined })],
    ["a tenant that is none", () => sign({ ...CLAIMS, tenant: "a/b" })],
    ["a tenant that is no text", () => sign({ ...CLAIMS, tenant: { $ne: "" } })],
    ["roles that are no texts", () => sign({ ...CLAIMS, roles: [1] })],
    [
      "claims changed after signing",
      async () => {
        const [head = "", , signature = ""] = (await sign(CLAIMS)).split(".");
        return `${head}.${part({ ...CLAIMS, tenant: "shop-8" })}.${signature}`;
      },
    ],
    ["rubbish", () => "a.b.c"],
  ])("%s", async (_, token) => {
    expect(await verify(await token())).toBe("CREDENTIALS_INVALID");
  });
});

describe("keys from a URL", () => {
  test("are kept; when the issuer is silent the call may be repeated, and nobody is let in", async () => {
    let asked = 0;
    let status = 503;
    const set = JSON.stringify(await keySet());
    const server = createServer((_, response) => {
      asked += 1;
      response.writeHead(status, { "content-type": "application/json" }).end(set);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const verifier = createTokenVerifier({ ...CONFIG, jwks: `http://127.0.0.1:${port}/jwks` });
    const token = await sign(CLAIMS);
    expect(await verify(token, verifier)).toBe("IDENTITY_UNAVAILABLE");
    status = 200;
    for (let i = 0; i < 5; i += 1)
      expect(await verify(token, verifier)).toMatchObject({ subject: "alice" });
    expect(asked).toBe(2);
    await new Promise((resolve) => server.close(resolve));
    const nobody = createTokenVerifier({ ...CONFIG, jwks: `http://127.0.0.1:${port}/jwks` });
    expect(await verify(token, nobody)).toBe("IDENTITY_UNAVAILABLE");
  });

  test("a file that is missing is an outage and no way in", async () => {
    const nobody = createTokenVerifier({ ...CONFIG, jwks: path.join(dir, "nothing.json") });
    expect(await verify(await sign(CLAIMS), nobody)).toBe("IDENTITY_UNAVAILABLE");
  });
});
