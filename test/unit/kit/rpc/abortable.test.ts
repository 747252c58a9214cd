import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { abortable, aborted, anySignal } from "#kit/rpc/abortable.ts";

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe("aborted", () => {
  test("rejects at once when the signal was aborted before", async () => {
    await expect(aborted(AbortSignal.abort("why"), Promise.resolve())).rejects.toBe("why");
  });

  test("leaves no listener behind when the work ends first", async () => {
    const { signal } = new AbortController();
    const work = Promise.resolve();
    void aborted(signal, work);
    expect(listeners(signal)).toBe(1);
    await work;
    expect(listeners(signal)).toBe(0);
  });
});

describe("abortable", () => {
  test("passes on every message and the end", async () => {
    const source = (async function* () {
      yield* [1, 2, 3];
    })();
    expect(await collect(abortable(source, new AbortController().signal))).toEqual([1, 2, 3]);
  });

  test("ends with the reason while the source waits for ever", async () => {
    const controller = new AbortController();
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<number>>(() => undefined),
      }),
    };
    const read = collect(abortable(source, controller.signal));
    controller.abort("stop");
    await expect(read).rejects.toBe("stop");
    expect(listeners(controller.signal)).toBe(0);
  });

  test("tells the source when its reader leaves", async () => {
    let left = false;
    const source = (async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        left = true;
      }
    })();
    for await (const _ of abortable(source, new AbortController().signal)) break;
    await Promise.resolve();
    expect(left).toBe(true);
  });
});

describe("anySignal", () => {
  test.each(["call", "server"])("is aborted with the reason of the %s", (which) => {
    const call = new AbortController();
    const server = new AbortController();
    const { signal } = anySignal([call.signal, server.signal]);
    (which === "call" ? call : server).abort(which);
    expect(signal.reason).toBe(which);
  });

  test("is aborted from the start when one was", () => {
    const { signal } = anySignal([new AbortController().signal, AbortSignal.abort("stopped")]);
    expect(signal.reason).toBe("stopped");
  });

  test("leaves nothing on the server's signal when it is released, so that an hour of calls leaks nothing", () => {
    const server = new AbortController();
    for (let i = 0; i < 100; i++) {
      anySignal([new AbortController().signal, server.signal]).release();
    }
    expect(listeners(server.signal)).toBe(0);
  });
});
