import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "#kit/auth/authority.ts";
import { cacheKeys, KEY_CACHE_MS } from "#kit/auth/key-cache.ts";
import { createKeyStore, type KeyStore, keysMigration } from "#kit/auth/key-store.ts";
import {
  bootstrapKey,
  createKey,
  type KeyDeps,
  listKeys,
  revokeKey,
  rotateKey,
} from "#kit/auth/keys.ts";
import { connectMongo } from "#kit/mongo/client.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { createSealer } from "#kit/seal.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

const DAY_MS = 86_400_000;
const operator: Scope = { tenant: "shop-7", subject: "olga", roles: ["operator"] };
const ORDER = {
  subject: "till",
  roles: ["merchant"],
  accounts: [],
  description: "",
  lifetimeMs: undefined,
} as const;
let mongo: Awaited<ReturnType<typeof connectMongo>>;
let store: KeyStore;
let nowMs: number;
const prefix = freshPrefix();

beforeAll(async () => {
  mongo = await connectMongo(mongoUri());
  const db = mongo.db(`${prefix}_edge`);
  await keysMigration.up(db);
  await keysMigration.up(db);
  store = createKeyStore(db);
  nowMs = Date.now();
});
afterAll(async () => {
  await mongo.db(`${prefix}_edge`).dropDatabase();
  await mongo.db(`${prefix}_first`).dropDatabase();
  await mongo.close();
});

const now = (): Date => new Date(nowMs);
const sealer = createSealer(["sealing-key-of-this-test-of-32-characters"]);
const deps = (): KeyDeps => ({ store, sealer, now });

/** A service's view of the keys: its own cache, the test's clock. */
function service() {
  let reads = 0;
  const findKey = cacheKeys(
    (id) => {
      reads += 1;
      return store.byId(id);
    },
    () => nowMs,
  );
  const authority = createAuthority({ open: true, serviceKeys: [], findKey, now });
  return {
    reads: () => reads,
    async ask(text: string): Promise<string> {
      try {
        const { tenant, subject } = await authority.authenticate(
          new Headers({ authorization: `Bearer ${text}` }),
        );
        return `${tenant}/${subject}`;
      } catch (error) {
        if (error instanceof Refusal) return error.reason;
        throw error;
      }
    },
  };
}

describe("a key", () => {
  test("opens for its tenant and subject, and only as a whole", async () => {
    const { text, row } = await createKey(deps(), operator, ORDER);
    expect(text).toMatch(/^sk_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
    const { ask } = service();
    expect(await ask(text)).toBe("shop-7/till");
    const other = await createKey(deps(), operator, ORDER);
    const mixed = `sk_${row._id.id}_${other.text.split("_").slice(2).join("_")}`;
    for (const wrong of [
      text.slice(0, -1),
      `${text}A`,
      mixed,
      text.toUpperCase(),
      `sk_${row._id.id}_`,
    ]) {
      expect(await ask(wrong), wrong).toBe("CREDENTIALS_INVALID");
    }
  });

  test("is stored as a hash only, so that a stolen database opens nothing", async () => {
    const { text, row } = await createKey(deps(), operator, ORDER);
    const stored = JSON.stringify(
      await mongo.db(`${prefix}_edge`).collection("keys").findOne({ "_id.id": row._id.id }),
    );
    expect(stored).not.toContain(text.split("_").slice(2).join("_"));
    const hash = row.secrets[0]?.hash ?? "";
    expect(await service().ask(`sk_${row._id.id}_${hash}`)).toBe("CREDENTIALS_INVALID");
  });

  test("ends when its lifetime is over", async () => {
    const { text } = await createKey(deps(), operator, { ...ORDER, lifetimeMs: DAY_MS });
    const { ask } = service();
    nowMs += DAY_MS - 1;
    expect(await ask(text)).toBe("shop-7/till");
    nowMs += 1;
    expect(await ask(text)).toBe("CREDENTIALS_INVALID");
  });

  test("that is revoked works nowhere after the bound of the caches, and at once where it was not used", async () => {
    const { text, row } = await createKey(deps(), operator, ORDER);
    const busy = service();
    expect(await busy.ask(text)).toBe("shop-7/till");
    await revokeKey(deps(), operator, row._id.id);
    expect(await service().ask(text)).toBe("CREDENTIALS_INVALID");
    nowMs += KEY_CACHE_MS;
    expect(await busy.ask(text)).toBe("CREDENTIALS_INVALID");
    expect(KEY_CACHE_MS).toBeLessThanOrEqual(5_000);
    const first = row.revokeTime ?? (await revokeKey(deps(), operator, row._id.id)).revokeTime;
    nowMs += DAY_MS;
    expect((await revokeKey(deps(), operator, row._id.id)).revokeTime).toEqual(first);
    await expect(rotateKey(deps(), operator, row._id.id)).rejects.toMatchObject({
      reason: "KEY_NOT_FOUND",
    });
  });

  test("that is rotated works with both secrets until the overlap is over, then with the new one", async () => {
    const { text, row } = await createKey(deps(), operator, ORDER);
    const second = await rotateKey(deps(), operator, row._id.id, DAY_MS);
    const third = await rotateKey(deps(), operator, row._id.id, 2 * DAY_MS);
    for (const each of [text, second.text, third.text])
      expect(await service().ask(each)).toBe("shop-7/till");
    nowMs += DAY_MS;
    expect(await service().ask(text)).toBe("CREDENTIALS_INVALID");
    expect(await service().ask(second.text)).toBe("shop-7/till");
    nowMs += DAY_MS;
    expect(await service().ask(second.text)).toBe("CREDENTIALS_INVALID");
    expect(await service().ask(third.text)).toBe("shop-7/till");
    const last = await rotateKey(deps(), operator, row._id.id, 0);
    expect(await service().ask(third.text)).toBe("CREDENTIALS_INVALID");
    expect(await service().ask(last.text)).toBe("shop-7/till");
    expect(last.row.secrets).toHaveLength(2);
  });

  test("that was rotated a moment ago opens where the old secret was just used", async () => {
    const { text, row } = await createKey(deps(), operator, ORDER);
    const { ask, reads } = service();
    expect(await ask(text)).toBe("shop-7/till");
    const second = await rotateKey(deps(), operator, row._id.id, DAY_MS);
    expect(await ask(second.text)).toBe("shop-7/till");
    // Wrong secrets for a known id do not read each time.
    for (let i = 0; i < 50; i += 1)
      expect(await ask(`${text.slice(0, -1)}-`)).toBe("CREDENTIALS_INVALID");
    expect(reads()).toBe(2);
  });

  test("is read once for many calls, and one that is made up is not read for each", async () => {
    const { text } = await createKey(deps(), operator, ORDER);
    const { ask, reads } = service();
    await Promise.all(Array.from({ length: 50 }, () => ask(text)));
    const madeUp = text.replace(/^sk_[a-z0-9]+/, "sk_0000000000000000");
    for (let i = 0; i < 50; i += 1) expect(await ask(madeUp)).toBe("CREDENTIALS_INVALID");
    expect(reads()).toBe(2);
  });

  test("is not found by another tenant's operator", async () => {
    const { row } = await createKey(deps(), operator, ORDER);
    const stranger: Scope = { ...operator, tenant: "shop-8" };
    await expect(revokeKey(deps(), stranger, row._id.id)).rejects.toMatchObject({
      reason: "KEY_NOT_FOUND",
    });
    expect((await listKeys(deps(), stranger, { pageSize: 0, pageToken: "" })).items).toEqual([]);
  });

  test("is one when the call that makes or rotates it runs again, because its answer was lost", async () => {
    const callId = randomUUID();
    const made = await createKey(deps(), operator, ORDER, callId);
    nowMs += 60_000;
    expect(await createKey(deps(), operator, ORDER, callId)).toEqual(made);
    const stranger: Scope = { ...operator, tenant: "shop-8" };
    expect((await createKey(deps(), stranger, ORDER, callId)).text).not.toBe(made.text);
    const { id } = made.row._id;
    const rotated = await rotateKey(deps(), operator, id, DAY_MS, callId);
    nowMs += 60_000;
    expect(await rotateKey(deps(), operator, id, DAY_MS, callId)).toEqual(rotated);
    expect(rotated.row.secrets).toHaveLength(2);
    expect(await service().ask(rotated.text)).toBe("shop-7/till");
  });
});

test("a list shows every key once, page by page", async () => {
  const scope: Scope = { ...operator, tenant: `shop-${randomUUID()}` };
  const made = await Promise.all(Array.from({ length: 5 }, () => createKey(deps(), scope, ORDER)));
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await listKeys(deps(), scope, { pageSize: 2, pageToken });
    seen.push(...page.items.map((row) => row._id.id));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  expect(seen).toEqual(made.map(({ row }) => row._id.id).sort());
});

test("the first key is made once, also by many at the same moment, and never beside another", async () => {
  const db = mongo.db(`${prefix}_first`);
  const tries = await Promise.all(
    Array.from({ length: 8 }, () => bootstrapKey(db, "default", { ...ORDER, roles: ["operator"] })),
  );
  expect(tries.filter((made) => made !== undefined)).toHaveLength(1);
  const [made] = tries.filter((one) => one !== undefined);
  expect(made?.text).toMatch(/^sk_bootstrap_/);
  await createKeyStore(db).revoke({ tenant: "default" }, "bootstrap", now());
  expect(await bootstrapKey(db, "default", ORDER)).toBeUndefined();
});
