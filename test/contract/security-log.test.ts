import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { Refusal } from "#kit/refusal.ts";
import { noteChange } from "#kit/rpc/call.ts";
import type { RpcServer } from "#kit/rpc/server.ts";
import { keyedAuthority } from "#test/support/keyed-authority.ts";
import { pathOf } from "#test/support/raw-rpc.ts";
import { keepingLog, startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

const kept = keepingLog();
const authority = keyedAuthority();
let server: RpcServer;
beforeAll(async () => {
  server = await startStubServer(
    {},
    {
      services: [FraudService, KeyService],
      routes: (router) => {
        router.service(FraudService, {
          getCheck: () => {
            throw new Refusal("OVERLOADED");
          },
        });
        router.service(KeyService, {
          revokeKey: async ({ keyId }, context) => {
            noteChange(context, "key_revoked", keyId);
            if (keyId === "missing") throw new Refusal("KEY_NOT_FOUND");
            return { key: { keyId } };
          },
        });
      },
      log: kept.log,
      security: {
        authority,
        callerLimits: { perSecond: 0.001, burst: 2, inFlight: 0, waiting: 0 },
      },
      limits: { bodyMs: 30 },
    },
  );
});
afterAll(() => server.close(0));

async function call(path: string, headers: Headers, requestId: string, body = "{}") {
  headers.set("content-type", "application/json");
  headers.set("x-request-id", requestId);
  const response = await fetch(`http://${server.address}${path}`, {
    method: "POST",
    headers,
    body,
  });
  await response.text();
}

const lineOf = (requestId: string) =>
  waitUntil(async () =>
    kept.lines.find((line) => line["requestId"] === requestId && line["security"]),
  );

describe("the security log has one line, with who and from where, of", () => {
  const revoke = pathOf(KeyService.method.revokeKey);
  const source = "127.0.0.1";

  test("a call without valid credentials", async () => {
    await call(revoke, new Headers({ authorization: "Bearer forged" }), "r-401");
    expect(await lineOf("r-401")).toMatchObject({
      security: "unauthenticated",
      source,
      target: "auth.v1.KeyService/RevokeKey",
      reason: "CREDENTIALS_INVALID",
    });
  });

  test("a caller without the role, and one over its rate", async () => {
    const headers = () => authority.key("till", "t", ["merchant"]);
    await call(revoke, headers(), "r-403");
    expect(await lineOf("r-403")).toMatchObject({
      security: "denied",
      source,
      tenant: "t",
      subject: "till",
      credential: "key:till",
      reason: "ROLE_MISSING",
    });
    await call(revoke, headers(), "r-403-again");
    await call(revoke, headers(), "r-429");
    expect(await lineOf("r-429")).toMatchObject({ security: "rate_limited", subject: "till" });
  });

  test("a key that was changed, and none of a change that failed", async () => {
    const headers = () => authority.key("olga", "t", ["operator"]);
    await call(revoke, headers(), "r-missing", '{"keyId":"missing"}');
    await call(revoke, headers(), "r-revoked", '{"keyId":"k1"}');
    expect(await lineOf("r-revoked")).toMatchObject({
      level: "info",
      security: "key_revoked",
      object: "k1",
      subject: "olga",
      source,
    });
    expect(
      kept.lines.filter((line) => line["requestId"] === "r-missing" && line["security"]),
    ).toEqual([]);
  });

  test("each, counted by /metrics", async () => {
    const text = await (await fetch(`http://${server.address}/metrics`)).text();
    for (const event of ["unauthenticated", "denied", "rate_limited", "key_revoked"]) {
      expect(text).toMatch(new RegExp(`settle_security_events_total\\{event="${event}"\\} [1-9]`));
    }
  });
});

test("what a caller can cause brings no stack trace into the log", async () => {
  const path = pathOf(FraudService.method.getCheck);
  await call(path, authority.key("a", "t", ["reviewer"]), "r-overloaded", '{"checkId":"c"}');
  expect(await lineOf("r-overloaded")).toMatchObject({ security: "overloaded" });
  const late = authority.key("b", "t", ["reviewer"]);
  late.set("connect-timeout-ms", "1");
  await call(path, late, "r-late", '{"checkId":"c"}');
  for (const line of kept.lines) {
    expect(JSON.stringify(line)).not.toMatch(/\.ts:\d+/);
    expect(line["err"]).toBeUndefined();
  }
});
