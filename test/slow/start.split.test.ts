import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { freePortBase, runStart, temporaryDirectory } from "#test/support/start-process.ts";

test("npm start -- --once --split settles a payment with one process per service, so that the split stack is no second-class way", async () => {
  await using data = await temporaryDirectory();
  const base = await freePortBase();
  const args = ["--once", "--split", "--data-dir", data.path, "--port-base", String(base)];
  const { code, lines } = await runStart(args).ended;
  expect(code, lines.join("\n")).toBe(0);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ status: "SUCCEEDED", auditOk: true });
  expect(await readFile(path.join(data.path, "logs", "payment.log"), "utf8")).toContain("serving");
});
