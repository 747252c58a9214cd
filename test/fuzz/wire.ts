import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "#test/support/stack.ts";
import { type Target, targetsOf } from "#tools/fuzz/cases.ts";
import type { KnownIds } from "#tools/fuzz/messages.ts";
import { prepare } from "#tools/fuzz/prepare.ts";
import { describeFinding, type FuzzReport, fuzz } from "#tools/fuzz/run.ts";
import { SERVICE_DESCRIPTORS } from "#tools/fuzz/services.ts";

/** Sends so many made-up requests of each seed to a stack; `npm run fuzz` sends a hundred thousand. */
export function describeFuzz(
  requests: number,
  seeds: readonly (readonly [name: string, seed: number])[],
): void {
  let stack: Stack;
  let targets: Target[];
  let known: KnownIds;

  beforeAll(async () => {
    stack = await startStack();
    const services = SERVICE_DESCRIPTORS.map(
      ({ name, service }) => [service, stack.addresses[name]] as const,
    );
    targets = targetsOf(new Map(services));
    known = await prepare(stack, "fuzz");
  });

  afterAll(() => stack[Symbol.asyncDispose]());

  test("every RPC of every service is a target", () => {
    const rpcs = new Set(targets.map(({ method }) => `${method.parent.typeName}/${method.name}`));
    expect(rpcs.size).toBe(targets.length);
    expect(targets.length).toBeGreaterThan(40);
  });

  test.each(seeds)(
    "no answer to requests of %s (%i) is INTERNAL, UNKNOWN, missing, or without the field it is about",
    async (_, seed) => {
      const report = await fuzz({ seed, from: 0, to: requests, targets, known, concurrency: 16 });
      expect(problems(report)).toEqual([]);
      expect(report.codes.get("OK") ?? 0).toBeGreaterThan(requests / 20);
      expect(report.codes.get("InvalidArgument") ?? 0).toBeGreaterThan(requests / 20);
    },
  );

  test("afterwards the books are clean", async () => {
    const audit = await stack.reporting.audit({});
    expect(audit.invariants.filter(({ violationCount }) => violationCount > 0n)).toEqual([]);
    expect(audit.ok).toBe(true);
  });
}

function problems(report: FuzzReport): string[] {
  return report.findings.map(describeFinding);
}
