import { expect, test } from "vitest";
import { createSecurityLog } from "#kit/security-log.ts";
import { keepingLog } from "#test/support/stub-server.ts";

test("a flood of one kind is sampled, counted whole, and leaves room for other kinds and for changes of keys", () => {
  let nowMs = 0;
  let counted = 0;
  const { log, lines } = keepingLog();
  const security = createSecurityLog(
    log,
    () => {
      counted += 1;
    },
    () => nowMs,
  );
  for (let each = 0; each < 10_000; each += 1) {
    security.note({ event: "unauthenticated", source: "10.0.0.1", requestId: `${each}` });
  }
  expect([lines.length, counted]).toEqual([20, 10_000]);
  security.note({ event: "denied", source: "10.0.0.2", subject: "till" });
  for (let each = 0; each < 50; each += 1) {
    security.note({ event: "key_revoked", source: "10.0.0.3", object: `${each}` });
  }
  expect(lines).toHaveLength(71);
  nowMs = 500;
  security.note({ event: "unauthenticated", source: "10.0.0.1" });
  expect(lines.at(-1)).toEqual({
    level: "warn",
    text: "security",
    security: "unauthenticated",
    source: "10.0.0.1",
    skipped: 9_980,
  });
});
