import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, expect, test } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";

const started = new Set<ChildProcess>();
afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
  started.clear();
});

/** A process whose main is `runMain`. */
function startMain(env: Record<string, string>) {
  const child = spawn(process.execPath, ["test/support/stub-main.ts"], {
    env: { PATH: process.env["PATH"], SETTLE_PORT_FRAUD: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => String((await lines.next()).value),
    exit: new Promise<{ code: number | null; errors: string }>((resolve) => {
      child.once("close", (code) => resolve({ code, errors }));
    }),
  };
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s lets the running call end, then the process exits with 0",
  async (signal) => {
    const main = startMain({ STUB_DELAY_MS: "300" });
    const client = createClient(
      FraudService,
      createGrpcTransport({ baseUrl: `http://${await main.line()}` }),
    );
    const call = client.getCheck({ checkId: "a" });
    expect(await main.line()).toBe("entered");
    main.child.kill(signal);
    expect((await call).check?.checkId).toBe("a");
    expect(await main.exit).toMatchObject({ code: 0 });
  },
);

test("a second signal ends the process at once", async () => {
  const main = startMain({ STUB_DELAY_MS: "60000" });
  const peer = createPeer(FraudService, `http://${await main.line()}`);
  const call = peer.getCheck({ checkId: "a" }).catch((error: unknown) => error);
  expect(await main.line()).toBe("entered");
  main.child.kill("SIGTERM");
  main.child.kill("SIGINT");
  expect(await main.exit).toMatchObject({ code: 1 });
  await call;
});

test("settings that are not valid are all named, and the exit code is 1", async () => {
  const main = startMain({ SETTLE_PORT_FRAUD: "99999", SETTLE_LOG_LEVEL: "loud" });
  const { code, errors } = await main.exit;
  expect(code).toBe(1);
  expect(errors).toContain("SETTLE_PORT_FRAUD=99999");
  expect(errors).toContain("SETTLE_LOG_LEVEL=loud");
});
