import { describe, expect, test } from "vitest";
import { serviceScope } from "#kit/pure/scope.ts";
import type { Books, GatewayReader } from "#services/reporting/application/books.ts";
import { compareGateway } from "#services/reporting/application/compare-gateway.ts";
import type { GatewayBook } from "#services/reporting/domain/books.ts";
import { collectFindings } from "#services/reporting/domain/invariants.ts";
import { paymentCase, transaction } from "../builders.ts";

/** A provider whose book is in pages. */
function provider(pages: readonly (readonly GatewayBook[])[], later = pages.flat()): GatewayReader {
  return {
    async *transactions() {
      yield* pages;
    },
    transaction: async (_scope, authorizationKey) =>
      later.find((one) => one.authorizationKey === authorizationKey),
  };
}

/** Compares, and answers the ids that break A7. `now` is what the rows' versions are after the snapshot. */
async function brokenIds(
  gateway: GatewayReader,
  batches: readonly (readonly ReturnType<typeof paymentCase>[])[],
  now: Readonly<Record<string, bigint>>,
): Promise<readonly string[]> {
  const findings = collectFindings();
  const versionsNow = async (ids: readonly string[]) =>
    new Map(Object.entries(now).filter(([id]) => ids.includes(id)));
  const books: Pick<Books, "versionsNow"> = { versionsNow };
  const deps = { gateway, clock: () => new Date() };
  const comparison = compareGateway(deps, {
    scope: serviceScope("default"),
    books,
    findings,
    signal: AbortSignal.abort(),
  });
  for (const batch of batches) await comparison.compare(batch);
  await comparison.finish();
  const a7 = findings.summary().find(({ id }) => id === "A7");
  return a7?.violations.map(({ id }) => id) ?? [];
}

describe("the provider is read after the snapshot", () => {
  test("a payment whose row changed since is left to the next audit, so a refund in between is no alarm", async () => {
    const gateway = provider([[transaction({ refundedAmount: 100n })]]);
    expect(await brokenIds(gateway, [[paymentCase()]], { p1: 2n })).toEqual([]);
    expect(await brokenIds(gateway, [[paymentCase()]], { p1: 1n })).toEqual(["p1"]);
  });

  test("a payment that began since is not reported as unknown", async () => {
    const later = transaction({ authorizationKey: "p2:authorize", merchantReference: "p2" });
    const gateway = provider([[transaction(), later]]);
    expect(await brokenIds(gateway, [[paymentCase()]], { p1: 1n, p2: 1n })).toEqual([]);
    expect(await brokenIds(gateway, [[paymentCase()]], { p1: 1n })).toEqual(["p2:authorize"]);
  });

  test("what looked missing and is there on the second look is clean", async () => {
    const gateway = provider([[]], [transaction()]);
    expect(await brokenIds(gateway, [[paymentCase()]], { p1: 1n })).toEqual([]);
  });
});

test("ids that do not sort like their keys are matched all the same", async () => {
  // "p1" comes before "p10", but "p1:authorize" after "p10:authorize".
  const ids = ["p1", "p10", "p2"];
  const pages = ["p10", "p1", "p2"].map((id) => [
    transaction({ authorizationKey: `${id}:authorize`, merchantReference: id }),
  ]);
  const batches = ids.map((paymentId) => [paymentCase({ paymentId })]);
  const now = Object.fromEntries(ids.map((id) => [id, 1n]));
  expect(await brokenIds(provider(pages), batches, now)).toEqual([]);
  expect(await brokenIds(provider(pages.slice(1)), batches, now)).toEqual(["p10"]);
});

test("a lost book breaks every payment, and only the first hundred are named", async () => {
  const ids = Array.from({ length: 130 }, (_, index) => `p${1000 + index}`);
  const batch = ids.map((paymentId) => paymentCase({ paymentId }));
  const now = Object.fromEntries(ids.map((id) => [id, 1n]));
  expect(await brokenIds(provider([[]]), [batch], now)).toHaveLength(100);
});
