import { describe, expect, test } from "vitest";
import { createLog } from "#kit/log.ts";
import { Refusal } from "#kit/refusal.ts";
import { GroupCommit, type GroupCommitLimits } from "#services/account/application/group-commit.ts";
import { BatchUndecided } from "#services/account/domain/ledger-port.ts";
import type { LedgerOutcome, LedgerRequest } from "#services/account/domain/request.ts";

const request = (holdId: string): LedgerRequest => ({ kind: "RELEASE_HOLD", tenant: "t", holdId });
const idOf = (asked: LedgerRequest): string => (asked.kind === "RELEASE_HOLD" ? asked.holdId : "");

/** Answers each request with its own id, so that a mixed-up answer is seen. */
const answer = (asked: LedgerRequest): LedgerOutcome => ({
  ok: false,
  reason: idOf(asked),
  facts: {},
});

function committer(
  commitBatch: (ids: readonly string[]) => Promise<void>,
  limits: Partial<GroupCommitLimits> = {},
): GroupCommit {
  return new GroupCommit({
    log: createLog("silent"),
    limits,
    ledger: {
      async commitBatch(requests) {
        await commitBatch(requests.map(idOf));
        return requests.map(answer);
      },
    },
  });
}

/** A promise and the way to keep it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe("group commit", () => {
  test("puts what arrived during a commit into the next one, in order", async () => {
    const batches: (readonly string[])[] = [];
    const first = gate();
    const commit = committer(async (ids) => {
      batches.push(ids);
      if (batches.length === 1) await first.opened;
    });
    const early = commit.submit(request("a"));
    // The first batch is taken in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    const late = ["b", "c", "d"].map((id) => commit.submit(request(id)));
    first.open();
    const outcomes = await Promise.all([early, ...late]);
    expect(batches).toEqual([["a"], ["b", "c", "d"]]);
    expect(outcomes.map((outcome) => !outcome.ok && outcome.reason)).toEqual(["a", "b", "c", "d"]);
  });

  test("never puts more than the cap into one batch", async () => {
    const sizes: number[] = [];
    const commit = committer(
      async (ids) => {
        sizes.push(ids.length);
      },
      { batchMax: 3 },
    );
    await Promise.all(["a", "b", "c", "d", "e", "f", "g"].map((id) => commit.submit(request(id))));
    expect(sizes).toEqual([3, 3, 1]);
  });

  test("refuses with LEDGER_BUSY when too many wait, instead of growing without bound", async () => {
    const never = gate();
    const commit = committer(() => never.opened, { queueMax: 2 });
    const waiting = ["a", "b"].map((id) => commit.submit(request(id)));
    await expect(commit.submit(request("c"))).rejects.toMatchObject({ reason: "LEDGER_BUSY" });
    never.open();
    await expect(Promise.all(waiting)).resolves.toHaveLength(2);
  });

  test("gives everybody else their answer when one request breaks its batch", async () => {
    const commit = committer(async (ids) => {
      if (ids.includes("poison")) throw new Error("no document may look like this");
    });
    const ids = ["a", "b", "poison", "c", "d"];
    const settled = await Promise.allSettled(ids.map((id) => commit.submit(request(id))));
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
  });

  test("tries a request that failed alone once more, on fresh reads, and then gives up", async () => {
    let failures = 1;
    const commit = committer(async () => {
      failures -= 1;
      if (failures >= 0) throw new Error("stale belief");
    });
    await expect(commit.submit(request("a"))).resolves.toMatchObject({ reason: "a" });
    failures = 2;
    await expect(commit.submit(request("b"))).rejects.toThrow("stale belief");
  });

  test("decides the whole batch again when it was not committed", async () => {
    const batches: (readonly string[])[] = [];
    const commit = committer(async (ids) => {
      batches.push(ids);
      if (batches.length < 3) throw new BatchUndecided("another writer was first");
    });
    await Promise.all([commit.submit(request("a")), commit.submit(request("b"))]);
    expect(batches).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ]);
  });

  test("answers LEDGER_BUSY, which may be retried, when the budget is used up; then goes on", async () => {
    let broken = true;
    const commit = committer(
      async () => {
        if (broken) throw new BatchUndecided("the wire is cut");
      },
      { budgetMs: 20 },
    );
    await expect(commit.submit(request("a"))).rejects.toBeInstanceOf(Refusal);
    broken = false;
    await expect(commit.submit(request("a"))).resolves.toMatchObject({ reason: "a" });
  });

  test("finishes what waits on shutdown and takes nothing new", async () => {
    const slow = gate();
    const commit = committer(() => slow.opened);
    const waiting = commit.submit(request("a"));
    const stopped = commit[Symbol.asyncDispose]();
    await expect(commit.submit(request("b"))).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
    slow.open();
    await stopped;
    await expect(waiting).resolves.toMatchObject({ reason: "a" });
  });
});
