import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_PORTS } from "#kit/config.ts";
import { reasonTables } from "#tools/docs/errors.ts";
import { shellBlocks } from "../support/doc-blocks.ts";
import { toolPath } from "../support/env.ts";
import { runCommand } from "../support/run-command.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { readTree } from "../support/tidy/files.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PORTS = Object.entries(DEFAULT_PORTS);

/** The examples of docs/api; a service without a port of its own is asked at the edge. */
const EXAMPLES = readTree(path.join(ROOT, "docs"))
  .filter(({ path: file }) => /^api\/.*\.v\d+\.md$/.test(file))
  .flatMap(({ text }) => shellBlocks(text).flatMap(({ commands }) => commands))
  .filter((command) => PORTS.some(([, port]) => command.includes(`127.0.0.1:${port}`)));
const CURL = EXAMPLES.filter((command) => command.startsWith("curl"));

let stack: Stack;
let reasons: ReadonlySet<string>;

beforeAll(async () => {
  stack = await startStack();
  reasons = new Set([...(await reasonTables()).values()].flatMap((table) => Object.keys(table)));
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

describe("a copied example of docs/api", () => {
  test("is there for every RPC", () => {
    const protos = readTree(path.join(ROOT, "proto")).filter(
      ({ path: file }) => !/^(google|grpc|buf)\//.test(file),
    );
    const rpcs = protos.flatMap(({ text }) => [...text.matchAll(/^ {2}rpc \w+/gm)]);
    expect(EXAMPLES.filter((command) => command.startsWith("grpcurl")).length).toBe(rpcs.length);
  });

  test.each(CURL)("%s: is answered, or refused for a reason of the catalogue", async (command) => {
    // In the words of curl, without a process for each: the body and the address are what can be wrong.
    const [, body = "", url = ""] = /--json '(.*)' (\S+)$/.exec(atStack(command)) ?? [];
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const answer: unknown = await response.json();
    if (response.status === 200) return;
    const reason = reasonIn(answer);
    expect(reasons).toContain(reason);
    expect(reason).not.toMatch(/^(INVALID_FIELD|MALFORMED_MESSAGE)$/);
  });

  test("runs as it stands in a shell, by curl and by grpcurl", async () => {
    const create = EXAMPLES.filter((command) =>
      command.endsWith("payment.v1.PaymentService/Create"),
    );
    expect(create).toHaveLength(2);
    for (const command of create) {
      const shell = `${toolPath("grpcurl")} `;
      const line = atStack(command).replace(/^grpcurl /, shell);
      const { exitCode, stdout, stderr } = await runCommand(["bash", "-c", line], { cwd: ROOT });
      expect(exitCode, stderr).toBe(0);
      expect(JSON.parse(stdout)).toHaveProperty("payment.paymentId");
    }
  });
});

function atStack(command: string): string {
  const addresses = new Map<string, string>(Object.entries(stack.addresses));
  return PORTS.reduce(
    (text, [service, port]) =>
      text.replaceAll(`127.0.0.1:${port}`, addresses.get(service) ?? "nowhere"),
    command,
  );
}

/** `ErrorInfo.reason` of an error of the Connect protocol, which shows each detail in readable form too. */
function reasonIn(answer: unknown): string | undefined {
  return /"reason":"([A-Z_0-9]+)"/.exec(JSON.stringify(answer))?.[1];
}
