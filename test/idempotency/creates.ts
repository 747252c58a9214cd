import { afterAll, beforeAll, expect, test } from "vitest";
import { uuidv7 } from "#kit/ids.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { fundedAccount } from "./recipes.ts";

const PARALLEL = 32;
/** Request ids under way at once. */
const WORKERS = 4;
const TIMEOUT_MS = 20 * 60_000;

/** Creates each of so many payments in 32 calls at once, and counts what came of it. */
export function describeCreates(requests: number): void {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  test(
    `${requests} request ids, each in ${PARALLEL} Creates at once, are exactly ${requests} payments`,
    async () => {
      const accountId = await fundedAccount(stack);
      const ids = Array.from({ length: requests }, () => `create-${uuidv7()}`);
      const payments = new Set<string>();
      const waiting = [...ids];
      const worker = async (): Promise<void> => {
        for (let requestId = waiting.pop(); requestId !== undefined; requestId = waiting.pop()) {
          const body = { requestId, accountId, amount: { currencyCode: "USD", minorUnits: 1n } };
          const calls = Array.from({ length: PARALLEL }, () => stack.payment.create(body));
          const answered = (await Promise.all(calls)).map(
            ({ payment }) => payment?.paymentId ?? "",
          );
          expect(new Set(answered).size).toBe(1);
          payments.add(answered[0] ?? "");
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, worker));
      expect(payments.size).toBe(requests);
      expect(await listed(stack, accountId)).toEqual([...payments].sort());
    },
    TIMEOUT_MS,
  );
}

async function listed(stack: Stack, accountId: string): Promise<string[]> {
  const found: string[] = [];
  let pageToken = "";
  do {
    const page = await stack.payment.list({ accountId, pageToken });
    found.push(...page.payments.map(({ paymentId }) => paymentId));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return found.sort();
}
