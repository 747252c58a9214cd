import type { Client } from "@connectrpc/connect";
import type { Db } from "mongodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { createPeer } from "#kit/rpc/client.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { readAccountConfig } from "#services/account/config.ts";
import { startAccountService } from "#services/account/service.ts";
import { type Alone, startAlone } from "#test/support/alone.ts";
import { faultsOf } from "./books.ts";

type Account = Client<typeof AccountService>;
/** Takes one unit under an id of its own; answers whether it was taken. */
type Take = (client: number, id: string) => Promise<boolean>;

const CLIENTS = 32;

let alone: Alone;
let services: readonly Account[];
let db: Db;

async function start(): Promise<void> {
  alone = await startAlone(readAccountConfig, startAccountService, { SETTLE_ACCOUNT_WORKER: "0" });
  const other = await alone.another();
  services = [
    createPeer(AccountService, alone.url),
    createPeer(AccountService, `http://${other.address}`),
  ];
  db = await alone.platform.database("account");
}

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });

async function open(accountId: string, balance: bigint): Promise<void> {
  const account = services[0];
  if (account === undefined) throw new Error("no service");
  await account.createAccount({ account: { accountId, currencyCode: "USD" } });
  await account.credit({ transactionId: `fund-${accountId}`, accountId, amount: usd(balance) });
}

/** Every client takes one unit after the other; answers how many units were said to be taken. */
async function takeAll(take: Take, clients: number, debits: number): Promise<bigint> {
  const counts = await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      let taken = 0n;
      for (let debit = 0; debit < debits; debit += 1) {
        if (await take(client, `${client}-${debit}`)) taken += 1n;
      }
      return taken;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0n);
}

/** Takes by RPC; client n talks to one of the given instances. */
function byRpc(instances: readonly Account[], accountId: string): Take {
  return async (client, id) => {
    const instance = instances[client % instances.length];
    if (instance === undefined) throw new Error("no instance");
    try {
      await instance.debit({ transactionId: `${accountId}-${id}`, accountId, amount: usd(1n) });
      return true;
    } catch (error) {
      if (reasonOf(error) !== "INSUFFICIENT_FUNDS") throw error;
      return false;
    }
  };
}

/** The bug of the source system: read, compute, write back, with no condition and no transaction. */
function byReadModifyWrite(accountId: string): Take {
  const accounts = db.collection<{ _id: { tenant: string; id: string }; balance: bigint }>(
    "accounts",
  );
  const _id = { tenant: "default", id: accountId };
  return async () => {
    const account = await accounts.findOne({ _id });
    if (account === null || account.balance < 1n) return false;
    await accounts.updateOne({ _id }, { $set: { balance: account.balance - 1n } });
    return true;
  };
}

/** The check of this file: as many units gone as were said to be taken, and books that add up. */
async function missing(accountId: string, before: bigint, taken: bigint): Promise<bigint> {
  const account = await db.collection("accounts").findOne({ "_id.id": accountId });
  const balance: bigint = account?.["balance"];
  return balance - (before - taken);
}

/** Proves that accounts many clients and two instances use at once stay exact; the hottest by so many debits a client. */
export function describeHotAccounts(debits: number): void {
  beforeAll(start);
  afterAll(() => alone[Symbol.asyncDispose]());

  test(`one account loses exactly what 32 clients debited, ${CLIENTS * debits} units`, async () => {
    const before = BigInt(CLIENTS * debits) + 5n;
    await open("hot", before);
    const taken = await takeAll(byRpc(services.slice(0, 1), "hot"), CLIENTS, debits);
    expect(taken).toBe(BigInt(CLIENTS * debits));
    expect(await missing("hot", before, taken)).toBe(0n);
    expect(await faultsOf(db, "default")).toEqual([]);
  });

  describe("one hot account", hotAccount);
  test(
    "transfers in a circle between two instances lose nothing and do not lock each other out",
    circle,
  );
}

function hotAccount(): void {
  test("is exact under two instances, and nobody gets more than there is", async () => {
    await open("shared", 500n);
    const taken = await takeAll(byRpc(services, "shared"), CLIENTS, 25);
    expect(taken).toBe(500n);
    expect(await missing("shared", 500n, taken)).toBe(0n);
    expect(await faultsOf(db, "default")).toEqual([]);
  });

  test("takes each id once when every client of both instances sends the same ids", async () => {
    await open("same", 100n);
    const take = byRpc(services, "same");
    const ids = Array.from({ length: 40 }, (_, index) => `id-${index}`);
    await Promise.all(ids.flatMap((id) => [0, 1, 2, 3].map((client) => take(client, id))));
    expect(await missing("same", 100n, 40n)).toBe(0n);
    expect(await faultsOf(db, "default")).toEqual([]);
  });

  test("that two instances share as counter-account sums up what both moved for their own customers", async () => {
    await open("own-0", 400n);
    await open("own-1", 400n);
    const takes = services.map((instance, index) => byRpc([instance], `own-${index}`));
    const take: Take = async (client, id) =>
      (await takes[client % takes.length]?.(client, id)) ?? false;
    expect(await takeAll(take, 8, 20)).toBe(160n);
    expect(await faultsOf(db, "default")).toEqual([]);
  });

  test("is found wrong by the same check when it is debited as the source system did", async () => {
    await open("naive", 6_400n);
    const taken = await takeAll(byReadModifyWrite("naive"), CLIENTS, 20);
    expect(await missing("naive", 6_400n, taken)).toBeGreaterThan(0n);
    const faults = await faultsOf(db, "default");
    expect(faults.some((fault) => fault.startsWith("naive has"))).toBe(true);
  });
}

async function circle(): Promise<void> {
  const ring = ["ring-0", "ring-1", "ring-2"];
  for (const id of ring) await open(id, 1_000n);
  const move = async (client: number, step: number): Promise<void> => {
    const instance = services[client % services.length];
    const accountId = ring[(client + step) % ring.length] ?? "";
    const counterAccountId = ring[(client + step + 1) % ring.length] ?? "";
    const transactionId = `ring-${client}-${step}`;
    await instance?.debit({ transactionId, accountId, counterAccountId, amount: usd(7n) });
  };
  await Promise.all(
    Array.from({ length: 12 }, async (_, client) => {
      for (let step = 0; step < 15; step += 1) await move(client, step);
    }),
  );
  const faults = await faultsOf(db, "default");
  expect(faults.filter((fault) => fault.startsWith("ring-"))).toEqual([]);
  const rows = await db
    .collection("accounts")
    .find({ "_id.id": { $in: ring } })
    .toArray();
  expect(rows.reduce((sum, row) => sum + row["balance"], 0n)).toBe(3_000n);
}
