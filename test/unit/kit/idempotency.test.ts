import { create, toBinary } from "@bufbuild/protobuf";
import { Binary, type Db, type MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Money, MoneySchema } from "#gen/common/v1/money_pb.ts";
import { requestRows } from "#kit/idempotency/claims.ts";
import { type Claim, once, requestsMigrations } from "#kit/idempotency/request.ts";
import { uuidv7 } from "#kit/ids.ts";
import { connectMongo } from "#kit/mongo/client.ts";
import { migrate } from "#kit/mongo/migrate.ts";
import type { ReasonTable } from "#kit/pure/reasons.ts";
import { serviceScope } from "#kit/pure/scope.ts";
import { Refusal } from "#kit/refusal.ts";
import { freshPrefix, mongoUri } from "#test/support/env.ts";

const scope = serviceScope("default");
const reasons: ReasonTable = {
  NOT_CANCELLABLE: { status: "FAILED_PRECONDITION", retryable: false, message: "Too late." },
  NOT_YET: { status: "FAILED_PRECONDITION", retryable: true, message: "Wait." },
  BUSY: { status: "RESOURCE_EXHAUSTED", retryable: false, message: "Full." },
};

let client: MongoClient;
let db: Db;
beforeAll(async () => {
  client = await connectMongo(mongoUri());
  db = client.db(`${freshPrefix()}_kit`);
  await migrate(db, requestsMigrations);
});
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

function claim(requestId: string, overrides: Partial<Claim<typeof MoneySchema>> = {}) {
  const claimed = { method: "a.v1.A/Do", requestId, requestHash: "h1", reasons };
  return { ...claimed, responseSchema: MoneySchema, ...overrides };
}

const money = (minorUnits: bigint): Money =>
  create(MoneySchema, { currencyCode: "USD", minorUnits });

const isReason = (reason: string) => expect.objectContaining({ name: "Refusal", reason });

test("runs the effect once for 32 callers with one id, who get its answer or REQUEST_IN_PROGRESS", async () => {
  const requestId = uuidv7();
  let effects = 0;
  const gate = Promise.withResolvers<void>();
  const calls = Array.from({ length: 32 }, () =>
    once(db, scope, claim(requestId), async () => {
      effects += 1;
      await gate.promise;
      return money(7n);
    }),
  );
  // The winner waits at the gate, so whoever is done by now was turned away.
  await expect(Promise.race(calls)).rejects.toEqual(isReason("REQUEST_IN_PROGRESS"));
  gate.resolve();
  const outcomes = await Promise.all(
    calls.map((call) => call.then((answer) => answer.minorUnits, refused)),
  );
  expect(effects).toBe(1);
  // Who came late enough to find the stored answer got that.
  expect(new Set(outcomes)).toEqual(new Set([7n, "REQUEST_IN_PROGRESS"]));
  await expect(once(db, scope, claim(requestId), mustNotRun)).resolves.toEqual(money(7n));
});

test("tells a caller who came too early when to come again", async () => {
  const requestId = uuidv7();
  const gate = Promise.withResolvers<Money>();
  const started = Promise.withResolvers<void>();
  const first = once(db, scope, claim(requestId), () => {
    started.resolve();
    return gate.promise;
  });
  await started.promise;
  const refusal = await once(db, scope, claim(requestId), mustNotRun).catch((error) => error);
  expect(refusal).toEqual(isReason("REQUEST_IN_PROGRESS"));
  expect(refusal.retryAfterMs).toBeGreaterThan(0);
  expect(refusal.retryAfterMs).toBeLessThanOrEqual(1_000);
  gate.resolve(money(1n));
  await first;
});

test("answers a repeat with the first answer though the world has changed, so that clients can rely on it", async () => {
  const requestId = uuidv7();
  await once(db, scope, claim(requestId), async () => money(1n));
  await expect(once(db, scope, claim(requestId), async () => money(2n))).resolves.toEqual(
    money(1n),
  );
});

test("refuses another body under a used id, also while the first still runs", async () => {
  const requestId = uuidv7();
  const other = claim(requestId, { requestHash: "h2" });
  const answer = once(db, scope, claim(requestId), async () => {
    await expect(once(db, scope, other, mustNotRun)).rejects.toEqual(isReason("REQUEST_ID_REUSED"));
    return money(1n);
  });
  await expect(answer).resolves.toEqual(money(1n));
  await expect(once(db, scope, other, mustNotRun)).rejects.toEqual(isReason("REQUEST_ID_REUSED"));
});

test("keeps tenants and methods apart, so that nobody meets another's answer", async () => {
  const requestId = uuidv7();
  await once(db, scope, claim(requestId), async () => money(1n));
  const elsewhere = once(db, serviceScope("b"), claim(requestId), async () => money(2n));
  await expect(elsewhere).resolves.toEqual(money(2n));
  const other = claim(requestId, { method: "a.v1.A/Undo", requestHash: "h3" });
  await expect(once(db, scope, other, async () => money(3n))).resolves.toEqual(money(3n));
});

test("an id belongs to its caller: two subjects that use one meet neither answer nor refusal of the other", async () => {
  const requestId = uuidv7();
  await once(db, scope, claim(requestId), async () => money(1n));
  const till = { ...scope, subject: "till" };
  const other = claim(requestId, { requestHash: "h2" });
  await expect(once(db, till, other, async () => money(2n))).resolves.toEqual(money(2n));
  await expect(once(db, scope, claim(requestId), mustNotRun)).resolves.toEqual(money(1n));
});

test("what was answered before ids had subjects is answered to whoever repeats it, and not done again", async () => {
  await using old = await oldDatabase();
  const requestId = uuidv7();
  await old.insert(requestId, money(1n));
  for (const subject of ["settle", "till"]) {
    const repeat = once(old.db, { ...scope, subject }, claim(requestId), mustNotRun);
    await expect(repeat).resolves.toEqual(money(1n));
  }
});

test("an empty id is a new call each time, because nobody could repeat it", async () => {
  const ids = new Set<string>();
  for (let i = 0; i < 2; i += 1) {
    await once(db, scope, claim(""), async (call) => {
      ids.add(call.id).add(call.requestId);
      return money(1n);
    });
  }
  expect(ids.size).toBe(4);
});

test("stores a refusal that is not retryable and repeats it whole, so that a no stays a no", async () => {
  const requestId = uuidv7();
  const refusal = new Refusal("NOT_CANCELLABLE", {
    message: "payment p1 has succeeded",
    metadata: { "payment.id": "p1", $status: "SUCCEEDED" },
    fields: [{ field: "payment_id", description: "is final" }],
  });
  const first = once(db, scope, claim(requestId), () => Promise.reject(refusal));
  await expect(first).rejects.toMatchObject(refusal);
  const { reason, message, metadata, fields, hasMessage } = refusal;
  const wanted = { name: "Refusal", reason, message, metadata, fields, hasMessage };
  await expect(once(db, scope, claim(requestId), mustNotRun)).rejects.toMatchObject(wanted);
});

test.each([
  ["a field that is not valid", new Refusal("INVALID_FIELD")],
  ["an outage", new Refusal("STORE_UNAVAILABLE")],
  ["a conflict", new Refusal("WRITE_CONFLICT")],
  ["a full queue", new Refusal("BUSY")],
  ["a deadline", new Refusal("DEADLINE_EXCEEDED")],
  ["a refusal that passes", new Refusal("NOT_YET")],
  ["a bug", new Error("boom")],
])(
  "does not store %s: the repeat runs again at once with the same id, and the body stays bound",
  async (_, error) => {
    const requestId = uuidv7();
    const ids: string[] = [];
    const fails = once(db, scope, claim(requestId), (call) => {
      ids.push(call.id);
      return Promise.reject(error);
    });
    await expect(fails).rejects.toBe(error);
    const other = claim(requestId, { requestHash: "h2" });
    await expect(once(db, scope, other, mustNotRun)).rejects.toEqual(isReason("REQUEST_ID_REUSED"));
    const second = once(db, scope, claim(requestId), async (call) => {
      ids.push(call.id);
      return money(5n);
    });
    await expect(second).resolves.toEqual(money(5n));
    expect(ids[0]).toBe(ids[1]);
  },
);

test("takes a claim over after 30 s and runs again with the same id, so that a crash blocks nobody for ever", async () => {
  const requestId = uuidv7();
  const startMs = Date.now();
  const at = (ms: number) => claim(requestId, { clock: () => new Date(startMs + ms) });
  const stuck = Promise.withResolvers<Money>();
  const ids: string[] = [];
  const started = Promise.withResolvers<void>();
  const lost = once(db, scope, at(0), (call) => {
    ids.push(call.id);
    started.resolve();
    return stuck.promise;
  });
  await started.promise;
  const early = once(db, scope, at(29_999), mustNotRun);
  await expect(early).rejects.toEqual(isReason("REQUEST_IN_PROGRESS"));
  const second = once(db, scope, at(30_000), async (call) => {
    ids.push(call.id);
    return money(2n);
  });
  await expect(second).resolves.toEqual(money(2n));
  expect(ids[1]).toBe(ids[0]);
  // The first holder wakes up: what is stored stays, and it answers that.
  stuck.resolve(money(1n));
  await expect(lost).resolves.toEqual(money(2n));
  await expect(once(db, scope, at(31_000), mustNotRun)).resolves.toEqual(money(2n));
});

test("a holder that lost its claim to a call still running frees and stores nothing", async () => {
  const requestId = uuidv7();
  const startMs = Date.now();
  const at = (ms: number) => claim(requestId, { clock: () => new Date(startMs + ms) });
  const first = Promise.withResolvers<Money>();
  const second = Promise.withResolvers<Money>();
  const running = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const lost = once(db, scope, at(0), () => signalled(running[0], first));
  await running[0].promise;
  const taker = once(db, scope, at(30_000), () => signalled(running[1], second));
  await running[1].promise;
  first.reject(new Error("connection lost"));
  await expect(lost).rejects.toThrow("connection lost");
  const third = once(db, scope, at(30_001), mustNotRun);
  await expect(third).rejects.toEqual(isReason("REQUEST_IN_PROGRESS"));
  second.resolve(money(2n));
  await expect(taker).resolves.toEqual(money(2n));
});

test("of 32 callers who find an expired claim one takes it over, so that the effect runs once more and not 32 times", async () => {
  const requestId = uuidv7();
  const startMs = Date.now();
  const stuck = Promise.withResolvers<Money>();
  const started = Promise.withResolvers<void>();
  const lost = once(db, scope, claim(requestId), () => signalled(started, stuck));
  await started.promise;
  let effects = 0;
  const late = claim(requestId, { clock: () => new Date(startMs + 60_000) });
  const gate = Promise.withResolvers<void>();
  const calls = Array.from({ length: 32 }, () =>
    once(db, scope, late, async () => {
      effects += 1;
      await gate.promise;
      return money(2n);
    }).catch(refused),
  );
  await Promise.any(calls);
  gate.resolve();
  await Promise.all(calls);
  expect(effects).toBe(1);
  stuck.resolve(money(1n));
  await expect(lost).resolves.toEqual(money(2n));
});

/** Says that the run has begun, then hangs until the test lets it end. */
function signalled(started: PromiseWithResolvers<void>, end: PromiseWithResolvers<Money>) {
  started.resolve();
  return end.promise;
}

function mustNotRun(): Promise<Money> {
  return Promise.reject(new Error("must not run"));
}

function refused(error: unknown): string {
  return error instanceof Refusal ? error.reason : String(error);
}

/** A database whose first request was answered before keys had subjects. */
async function oldDatabase() {
  const own = client.db(`${freshPrefix()}_old`);
  await migrate(own, requestsMigrations);
  return {
    db: own,
    async insert(requestId: string, answer: Money): Promise<void> {
      const { method, requestHash: hash } = claim(requestId);
      const [owner, now] = [uuidv7(), new Date()];
      await requestRows(own).insertOne({
        _id: { tenant: scope.tenant, method, requestId },
        hash,
        id: uuidv7(),
        state: "ANSWERED",
        owner,
        leaseTime: now,
        answer: new Binary(toBinary(MoneySchema, answer)),
        createTime: now,
        updateTime: now,
      });
    },
    [Symbol.asyncDispose]: async () => {
      await own.dropDatabase();
    },
  };
}
