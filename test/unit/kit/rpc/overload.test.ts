import { describe, expect, test } from "vitest";
import { createAdmission } from "#kit/rpc/admission.ts";
import { OverloadGuard, type OverloadPolicy } from "#kit/rpc/overload.ts";

const POLICY: Partial<OverloadPolicy> = { limitStart: 10, limitMin: 4, limitMax: 40, samples: 10 };

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
        guard.run("rpc", () => new Promise<void>((resolve) => opens.push(resolve))),
      );
      nowMs += tookMs(calls.length);
      for (const open of opens) open();
      await Promise.all(calls);
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
    const calls = Array.from({ length: 4 }, () => guard.run("rpc", async () => undefined));
    await Promise.all(calls);
    expect(guard.limit).toBe(40);
  });
});

describe("the queue of a server", () => {
  test("lets a call in when a place becomes free, in the order they came", async () => {
    const guard = new OverloadGuard({ limitStart: 1, limitMin: 1, queueMs: 10_000 });
    const order: number[] = [];
    const first = Promise.withResolvers<void>();
    const calls = [
      guard.run("rpc", () => first.promise),
      ...[1, 2, 3].map((each) => guard.run("rpc", async () => void order.push(each))),
    ];
    first.resolve();
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3]);
  });

  test("refuses at once what does not fit, and what waited too long", async () => {
    const guard = new OverloadGuard({ limitStart: 1, limitMin: 1, queueMax: 1, queueMs: 5 });
    const first = Promise.withResolvers<void>();
    const running = guard.run("rpc", () => first.promise);
    const waits = guard.run("rpc", async () => undefined);
    const full = guard.run("rpc", async () => undefined);
    await expect(full).rejects.toMatchObject({ reason: "OVERLOADED" });
    await expect(waits).rejects.toMatchObject({ reason: "OVERLOADED" });
    first.resolve();
    await running;
    await guard.run("rpc", async () => undefined);
  });
});

describe("the rate of a caller", () => {
  const limits = { perSecond: 10, burst: 5, inFlight: 0 };
  const take = (admission: ReturnType<typeof createAdmission>, who: string): number => {
    for (let count = 0; count < 100; count += 1) {
      try {
        admission.enter(who)();
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
      admission.enter(`caller-${each}`)();
      nowMs += 0.001;
    }
    expect(take(admission, "busy")).toBe(0);
  });
});
