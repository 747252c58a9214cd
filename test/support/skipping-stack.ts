import { TestWorkflowEnvironment } from "@temporalio/testing";
import type { Env } from "#kit/config.ts";
import { createLog } from "#kit/log.ts";
import { installRuntime } from "#kit/temporal/runtime.ts";
import { toolPath } from "./env.ts";
import { startFaultyStack } from "./faulty-stack.ts";
import type { Stack } from "./stack.ts";

/** A stack on a Temporal server of its own whose clock can be put forward. */
export interface SkippingStack extends Stack {
  /** Puts the server's clock forward, for example `5m`; until then it runs as clocks do. */
  skip(duration: `${number}${"s" | "m" | "h" | "d"}`): Promise<void>;
}

/**
 * Starts the time-skipping server and all services on it. Only workflow time is skipped: rows, holds and the provider live in
 * real time, so payments that are to age together are made before the first skip.
 */
export async function startSkippingStack(env: Env = {}): Promise<SkippingStack> {
  installRuntime(createLog("silent"));
  const executable = { type: "existing-path", path: toolPath("temporal-test-server") } as const;
  const server = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  const place = { TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: "default" };
  const stack = await startFaultyStack({ ...place, ...env }).catch(async (error: unknown) => {
    await server.teardown();
    throw error;
  });
  return {
    ...stack,
    skip: (duration) => server.sleep(duration),
    async [Symbol.asyncDispose]() {
      await stack[Symbol.asyncDispose]();
      await server.teardown();
    },
  };
}
