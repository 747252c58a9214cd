import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyService } from "#gen/auth/v1/keys_pb.ts";
import { keyRoutes } from "#kit/auth/key-routes.ts";
import { createKeyStore, KEYS_DATABASE, keyMigrations } from "#kit/auth/key-store.ts";
import { EnvReader, readBaseConfig } from "#kit/config.ts";
import { createLog } from "#kit/log.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import { createPlatform, type Platform } from "#kit/platform.ts";
import { type RpcServer, startRpcServer } from "#kit/rpc/server.ts";
import { createSealer } from "#kit/seal.ts";
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
const sealer = createSealer(["sealing-key-of-this-test-of-32-characters"]);
let platform: Platform;
let server: RpcServer;

beforeAll(async () => {
  const reader = new EnvReader(env);
  platform = createPlatform(readBaseConfig(reader, "edge"));
  reader.finish();
  const db = await platform.database(KEYS_DATABASE);
  await migrate(db, keyMigrations);
  server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    services: [KeyService],
    routes: keyRoutes({ db, store: createKeyStore(db), sealer, now: () => new Date() }),
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

  test("with a request id shows a repeat the same secret, and stores none in the clear", async () => {
    const service = { SETTLE_API_KEY: env.SETTLE_SERVICE_KEY };
    const order = ["create", "--subject", "s", "--role", "operator", "--request-id", "repeated"];
    const first = await key(order, service.SETTLE_API_KEY);
    const { key: made, secret } = JSON.parse(first.out);
    expect((await key(order, service.SETTLE_API_KEY)).out).toBe(first.out);
    const rotate = ["rotate", made.keyId, "--request-id", "repeated"];
    const rotated = await key(rotate, secret);
    expect((await key(rotate, JSON.parse(rotated.out).secret)).out).toBe(rotated.out);
    const db = await platform.database(KEYS_DATABASE);
    for (const shown of [secret, JSON.parse(rotated.out).secret]) {
      const bytes = Buffer.from(String(shown).split("_").slice(2).join("_"));
      for (const row of await db.collection("requests").find({ state: "ANSWERED" }).toArray()) {
        expect(Buffer.from(row["answer"].buffer).includes(bytes)).toBe(false);
      }
    }
  });

  test("of role service shows its secret to services only, also when the call is a repeat", async () => {
    const admin = JSON.parse(
      (await key(["create", "--subject", "o", "--role", "operator"], env.SETTLE_SERVICE_KEY)).out,
    ).secret;
    const order = ["create", "--subject", "peer", "--role", "service", "--request-id", "guessed"];
    const made = await key(order, env.SETTLE_SERVICE_KEY);
    expect(made.err).toBe("");
    const { keyId } = JSON.parse(made.out).key;
    for (const asked of [order, ["rotate", keyId]]) {
      const refused = await key(asked, admin);
      expect(refused.out).toBe("");
      expect(refused.err).toContain("ROLE_MISSING");
    }
    expect((await key(["revoke", keyId], admin)).err).toBe("");
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
