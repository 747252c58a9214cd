import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { keyRoutes } from "#kit/auth/key-routes.ts";
import { createKeyStore, KEYS_DATABASE, keysMigration } from "#kit/auth/key-store.ts";
import { EnvReader, readBaseConfig } from "#kit/config.ts";
import { createLog } from "#kit/log.ts";
import { createPlatform, type Platform } from "#kit/platform.ts";
import { type RpcServer, startRpcServer } from "#kit/rpc/server.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";
import { run } from "../unit/cli/run.ts";

const prefix = freshPrefix();
const env = {
  MONGODB_URI: mongoUri(),
  SETTLE_DATABASE_PREFIX: prefix,
  SETTLE_MODE: "production",
  SETTLE_SERVICE_KEY: "a-service-key-of-this-test-of-32-characters",
  SETTLE_LOG_LEVEL: "silent",
};
let platform: Platform;
let server: RpcServer;

beforeAll(async () => {
  const reader = new EnvReader(env);
  platform = createPlatform(readBaseConfig(reader, "edge"));
  reader.finish();
  const db = await platform.database(KEYS_DATABASE);
  await keysMigration.up(db);
  server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    services: [KeyService],
    routes: keyRoutes({ store: createKeyStore(db), now: () => new Date() }),
    reasons: {},
    log: createLog("silent"),
    security: platform.security,
  });
});
afterAll(async () => {
  await server.close();
  await (await platform.database(KEYS_DATABASE)).dropDatabase();
  await platform[Symbol.asyncDispose]();
});

/** `settle key …` with a key in the environment. */
function key(argv: readonly string[], apiKey = "") {
  const options = ["--address", server.address, "-o", "json", "key"];
  return run([...options, ...argv], { env: { ...env, SETTLE_API_KEY: apiKey } });
}

describe("settle key", () => {
  test("leads from an empty database to keys that work, rotate and end", async () => {
    const first = await key(["create", "--bootstrap", "--subject", "admin", "--role", "operator"]);
    expect(first.err).toBe("");
    const { secret: admin } = JSON.parse(first.out);
    const again = await key(["create", "--bootstrap", "--subject", "admin", "--role", "operator"]);
    expect(again).toMatchObject({ exitCode: 1, out: "" });
    expect(again.err).toContain("there are keys already");

    const payer = [
      "create",
      "--subject",
      "alice",
      "--role",
      "payer",
      "--account",
      "a-1",
      "--lifetime",
      "90d",
    ];
    const made = JSON.parse((await key(payer, admin)).out);
    expect(made.key).toMatchObject({
      subject: "alice",
      roles: ["ROLE_PAYER"],
      accounts: ["a-1"],
      createdBy: "admin",
    });
    expect((await key(["list"], made.secret)).err).toContain("ROLE_MISSING");

    const rotated = JSON.parse(
      (await key(["rotate", made.key.keyId, "--overlap", "1h"], admin)).out,
    );
    for (const secret of [made.secret, rotated.secret]) {
      expect((await key(["list"], secret)).err).toContain("ROLE_MISSING");
    }
    const list = await key(["list"], admin);
    const listed = list.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).keyId);
    expect(listed.sort()).toEqual(["bootstrap", made.key.keyId].sort());
    expect(list.out).not.toContain(rotated.secret);

    const revoked = JSON.parse((await key(["revoke", made.key.keyId], admin)).out);
    expect(revoked.revokeTime).toBeTruthy();
    expect((await key(["revoke", "nobodys0key"], admin)).err).toContain("KEY_NOT_FOUND");
  });

  test("does nothing for who brings no key, or writes what cannot be", async () => {
    expect((await key(["list"])).err).toContain("CREDENTIALS_MISSING");
    expect(await key(["create", "--subject", "x", "--role", "king"])).toMatchObject({
      exitCode: 2,
    });
    const wrong = await key(["create", "--bootstrap", "--subject", "a b", "--role", "operator"]);
    expect(wrong.err).toContain("subject");
    expect(
      await key(["create", "--subject", "x", "--role", "payer", "--lifetime", "soon"]),
    ).toMatchObject({ exitCode: 2 });
  });
});
