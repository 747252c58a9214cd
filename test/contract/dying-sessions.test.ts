import http2 from "node:http2";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { startStubServer } from "#test/support/stub-server.ts";

const SESSIONS = 100;

test("a session that is being destroyed is not pinged: the process would end by what nobody catches", async () => {
  const server = await startStubServer({}, { limits: { pingMs: 1 } });
  const sessions = Array.from({ length: SESSIONS }, () =>
    http2.connect(`http://${server.address}`),
  );
  await Promise.all(
    sessions.map((session) => new Promise((resolve) => session.once("connect", resolve))),
  );
  const closed = sessions.map((session) => {
    session.on("error", () => undefined);
    return new Promise((resolve) => session.once("close", resolve));
  });
  // Between a session's destruction and its end the event loop turns, and timers that are due fire.
  const busyUntilMs = performance.now() + 100;
  const close = server.close(0);
  while (performance.now() < busyUntilMs) await setImmediate();
  await close;
  expect(await Promise.all(closed)).toHaveLength(SESSIONS);
});
