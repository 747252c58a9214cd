import { describe, expect, test } from "vitest";
import { createAdmission } from "#kit/rpc/admission.ts";
import { type Asking, OverloadGuard, type OverloadPolicy, type Seat } from "#kit/rpc/overload.ts";

const POLICY: Partial<OverloadPolicy> = { limitStart: 10, limitMin: 4, limitMax: 40, samples: 10 };

/** Settle's own service: no share binds it, so that a test sees the limit alone. */
const SERVICE: Asking = { rpc: "rpc", tenant: "t", credential: "service", control: false };

/** A call of one key of a tenant. */
function by(credential: string, tenant = "t", control = false): Asking {
  return { rpc: "rpc", tenant, credential, control };
}

async function run(
  guard: OverloadGuard,
  call: () => Promise<void>,
  asking: Asking = SERVICE,
): Promise<void> {
  const seat = await guard.enter(asking);
  await call().finally(() => seat.leave());
}

/** Seats that are taken without waiting, as many as there are. */
async function seats(guard: OverloadGuard, asking: Asking, most = 10_000): Promise<Seat[]> {
  const taken: Seat[] = [];
  while (taken.length < most) {
    const seat = await guard.enter(asking).catch(() => undefined);
    if (seat === undefined) return taken;
    taken.push(seat);
  }
  return taken;
}

/** A server whose calls take as long as a model says, on a clock of its own. */
function simulate(policy: Partial<OverloadPolicy>, tookMs: (running: number) => number) {
  let nowMs = 0;
  const guard = new OverloadGuard(policy, () => nowMs);
  return {
    guard,
    /** As many calls at once as the guard lets in. */
    async round(): Promise<void> {
      const opens: (() => void)[] = [];
      const calls = Array.from({ length: guard.limit }, () =>
        run(guard, () => new Promise<void>((resolve) => opens.push(resolve))),
      );
      // All have begun once every promise on the way has settled.
      await new Promise(setImmediate);
      nowMs += tookMs(calls.length);
      for (const open of opens) open();
      await Promise.all(calls);
    },
    pass: (ms: number): void => {
      nowMs += ms;
    },
  };
}

describe("the limit of a server", () => {
  test("grows while calls are fast, so that a fast server is used", async () => {
    const { guard, round } = simulate(POLICY, () => 5);
    for (let each = 0; each < 40; each += 1) await round();
    expect(guard.limit).toBe(40);
  });

  test("shrinks to what the server does well, and no further than its least", async () => {
    // Good up to 12 at once; above that every call waits for the others.
    const { guard, round } = simulate(POLICY, (running) => (running <= 12 ? 10 : running * 10));
    for (let each = 0; each < 60; each += 1) await round();
    expect(guard.limit).toBeGreaterThanOrEqual(4);
    expect(guard.limit).toBeLessThanOrEqual(17);
  });

  test("recovers when the server does", async () => {
    let slow = 1;
    const { guard, round } = simulate(POLICY, () => 5 * slow);
    await round();
    slow = 100;
    for (let each = 0; each < 20; each += 1) await round();
    expect(guard.limit).toBe(4);
    slow = 1;
    for (let each = 0; each < 40; each += 1) await round();
    expect(guard.limit).toBe(40);
  });

  test("stays when few calls wait on purpose", async () => {
    const { guard, round } = simulate(POLICY, () => 5);
    for (let each = 0; each < 40; each += 1) await round();
    const calls = Array.from({ length: 4 }, () => run(guard, async () => undefined));
    await Promise.all(calls);
    expect(guard.limit).toBe(40);
  });
});

test("a limit that has shrunk grows back while nobody calls, so that one bad hour does not bind the next", async () => {
  let slow = 1;
  const { guard, round, pass } = simulate({ ...POLICY, recoverMs: 1_000 }, () => 5 * slow);
  await round();
  slow = 100;
  for (let each = 0; each < 20; each += 1) await round();
  expect(guard.limit).toBe(4);
  pass(1_000);
  expect(guard.limit).toBe(6);
  pass(60_000);
  expect(guard.limit).toBe(10);
});

describe("the places of a server", () => {
  const policy = { limitStart: 40, limitMin: 40, limitMax: 40, queueMax: 4, queueMs: 1 };

  test("are shared: one key has half of them, one tenant three quarters, and others come in", async () => {
    const guard = new OverloadGuard(policy);
    expect(await seats(guard, by("key:a"))).toHaveLength(20);
    expect(await seats(guard, by("key:b"))).toHaveLength(10);
    await expect(guard.enter(by("key:c"))).rejects.toMatchObject({
      reason: "RATE_LIMITED",
      metadata: { limit: "tenant_share" },
    });
    expect(await seats(guard, by("key:a", "other"))).toHaveLength(10);
  });

  test("are given up by calls that wait, and how long those take says nothing about the server", async () => {
    let nowMs = 0;
    const guard = new OverloadGuard(policy, () => nowMs);
    const waiting: Seat[] = [];
    for (let each = 0; each < 170; each += 1) {
      const seat = await guard.enter(by("key:payer"));
      seat.wait();
      waiting.push(seat);
    }
    expect([guard.running, guard.waiting]).toEqual([0, 170]);
    expect(await seats(guard, by("key:payer"))).toHaveLength(20);
    nowMs += 25_000;
    for (const seat of waiting) seat.leave();
    expect([guard.limit, guard.waiting]).toEqual([40, 0]);
  });

  test("are kept by calls that wait when their key has its share of waiting places", async () => {
    const guard = new OverloadGuard({ ...policy, waitingMax: 32 });
    for (let each = 0; each < 20; each += 1) (await guard.enter(by("key:a"))).wait();
    expect([guard.running, guard.waiting]).toEqual([12, 8]);
    (await guard.enter(by("key:b"))).wait();
    expect(guard.waiting).toBe(9);
  });

  test("are kept free for the control lane, in which no key takes more than a quarter", async () => {
    const guard = new OverloadGuard({ ...policy, controlMax: 32 });
    for (const tenant of ["t", "u"]) {
      for (const key of ["key:a", "key:b"]) await seats(guard, by(key, tenant));
    }
    expect(guard.running).toBe(40);
    expect(await seats(guard, by("key:a", "t", true))).toHaveLength(8);
    expect(await seats(guard, by("key:operator", "t", true))).toHaveLength(8);
    expect(await seats(guard, by("key:operator", "u", true))).toHaveLength(8);
  });

  test("are held by streams as waiting ones, and the key that opens too many is refused", async () => {
    const guard = new OverloadGuard({ ...policy, waitingMax: 32 });
    const leave = Array.from({ length: 8 }, () => guard.enterStream(by("key:a")));
    expect(() => guard.enterStream(by("key:a"))).toThrow(
      expect.objectContaining({ reason: "RATE_LIMITED" }),
    );
    leave[0]?.();
    guard.enterStream(by("key:a"));
    guard.enterStream(by("key:b", "u"));
    expect(guard.running).toBe(0);
  });
});

describe("the queue of a server", () => {
  test("lets a call in when a place becomes free, in the order they came", async () => {
    const guard = new OverloadGuard({ limitStart: 1, limitMin: 1, queueMs: 10_000 });
    const order: number[] = [];
    const first = Promise.withResolvers<void>();
    const calls = [
      run(guard, () => first.promise),
      ...[1, 2, 3].map((each) => run(guard, async () => void order.push(each))),
    ];
    first.resolve();
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3]);
  });

  test("refuses at once what does not fit, and what waited too long", async () => {
    const guard = new OverloadGuard({ limitStart: 1, limitMin: 1, queueMax: 1, queueMs: 5 });
    const first = Promise.withResolvers<void>();
    const running = run(guard, () => first.promise);
    const waits = run(guard, async () => undefined);
    const full = run(guard, async () => undefined);
    await expect(full).rejects.toMatchObject({ reason: "OVERLOADED" });
    await expect(waits).rejects.toMatchObject({ reason: "OVERLOADED" });
    first.resolve();
    await running;
    await run(guard, async () => undefined);
  });
});

describe("a full queue", () => {
  const policy = { limitStart: 8, limitMin: 8, limitMax: 8, queueMax: 4, queueMs: 10_000 };

  test("drops the newest call of whoever has most in it, and lets in first whoever has least", async () => {
    const guard = new OverloadGuard(policy);
    const running = await seats(guard, by("key:a"), 6);
    running.push(...(await seats(guard, by("key:b", "u"), 2)));
    const order: string[] = [];
    const queue = (name: string, asking: Asking): Promise<void> =>
      guard.enter(asking).then(
        () => void order.push(name),
        () => void order.push(`${name} refused`),
      );
    const all = ["a1", "a2", "a3", "a4"].map((name) => queue(name, by("key:a")));
    all.push(queue("b1", by("key:b", "u")));
    all.push(queue("c1", by("key:c", "v")));
    await new Promise(setImmediate);
    for (const seat of running.splice(0, 4)) seat.leave();
    await Promise.all(all);
    expect(order).toEqual(["a4 refused", "a3 refused", "c1", "b1", "a1", "a2"]);
  });
});

describe("the rate of a caller", () => {
  const limits = { perSecond: 10, burst: 5, inFlight: 0, waiting: 0 };
  const take = (admission: ReturnType<typeof createAdmission>, who: string): number => {
    for (let count = 0; count < 100; count += 1) {
      try {
        admission.enter(who).leave();
      } catch {
        return count;
      }
    }
    return 100;
  };

  test("is a burst, then what time brings, each caller for itself", () => {
    let nowMs = 0;
    const admission = createAdmission(limits, () => nowMs);
    expect([take(admission, "a"), take(admission, "b")]).toEqual([5, 5]);
    nowMs = 300;
    expect(take(admission, "a")).toBe(3);
    nowMs = 100_000;
    expect(take(admission, "a")).toBe(5);
  });

  test("says when the next call may come, and then it may", () => {
    let nowMs = 0;
    const admission = createAdmission(limits, () => nowMs);
    take(admission, "a");
    expect(() => admission.enter("a")).toThrow(
      expect.objectContaining({ reason: "RATE_LIMITED", retryAfterMs: 100 }),
    );
    nowMs = 100;
    expect(take(admission, "a")).toBe(1);
  });

  test("does not bind Settle's own services, since a saga must go on", () => {
    expect(
      take(
        createAdmission(limits, () => 0),
        "service",
      ),
    ).toBe(100);
  });

  test("counts many callers and forgets the quiet ones without giving anybody more", () => {
    let nowMs = 0;
    const admission = createAdmission(limits, () => nowMs);
    expect(take(admission, "busy")).toBe(5);
    for (let each = 0; each < 20_000; each += 1) {
      admission.enter(`caller-${each}`).leave();
      nowMs += 0.001;
    }
    expect(take(admission, "busy")).toBe(0);
  });

  test("is counted apart for the control lane, so that a key over its rate can still be revoked by itself", () => {
    const admission = createAdmission(limits, () => 0);
    take(admission, "a");
    admission.enter("a", { control: true, stream: false });
    expect(() => admission.enter("a")).toThrow();
  });
});

describe("calls of a caller that wait", () => {
  const limits = { perSecond: 0, burst: 1, inFlight: 2, waiting: 3 };

  test("do not count as running, up to the number that may wait", () => {
    const admission = createAdmission(limits, () => 0);
    for (let each = 0; each < 3; each += 1) admission.enter("a").wait();
    const running = admission.enter("a");
    running.wait();
    admission.enter("a");
    expect(() => admission.enter("a")).toThrow(
      expect.objectContaining({ metadata: { limit: "in_flight", allowed: "2" } }),
    );
    running.leave();
    running.leave();
    admission.enter("a");
    expect(() => admission.enter("a")).toThrow();
  });

  test("are streams too, which never count as running", () => {
    const admission = createAdmission(limits, () => 0);
    const stream = { control: false, stream: true };
    const first = admission.enter("a", stream);
    for (let each = 0; each < 2; each += 1) admission.enter("a", stream);
    expect(() => admission.enter("a", stream)).toThrow(
      expect.objectContaining({ metadata: { limit: "waiting", allowed: "3" } }),
    );
    first.leave();
    admission.enter("a", stream);
    admission.enter("a");
  });
});
