import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Scope } from "#kit/pure/scope.ts";
import type { AccountDeps } from "#services/account/application/ports.ts";
import { getAccount, listAccounts } from "#services/account/application/read-account.ts";
import { listEntries } from "#services/account/application/read-ledger.ts";
import { setAccountState } from "#services/account/application/set-account-state.ts";
import { ask } from "./ask.ts";
import { faultsOf } from "./books.ts";
import { type LedgerHarness, openLedger, openWith } from "./harness.ts";
import { Model, type Op } from "./model.ts";

/** What the commands run against: two instances of the service on one database, each with its own cache. */
interface Real {
  readonly scope: Scope;
  readonly instances: readonly [AccountDeps, AccountDeps];
}

const OPENINGS = [
  ["alice", "USD", 100n],
  ["bob", "USD", 40n],
  ["carol", "EUR", 50n],
  ["full", "XTS", 2n ** 63n - 20n],
] as const;
const CUSTOMERS = OPENINGS.map(([id]) => id);

/** Mostly what can work, so that postings are many; now and then what cannot. */
const customer = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("alice", "bob") },
  { weight: 1, arbitrary: fc.constantFrom("carol", "full", "nobody") },
);
const counter = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("external:funding:USD", "provider:mock:USD") },
  { weight: 1, arbitrary: fc.constantFrom(...CUSTOMERS) },
  { weight: 1, arbitrary: fc.constantFrom("provider:mock:XTS", "external:funding:XTS", "ghost") },
);
const amount = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt(1n, 30n) },
  { weight: 1, arbitrary: fc.constant(10n ** 15n) },
);
const currency = fc.oneof(
  { weight: 5, arbitrary: fc.constant("USD") },
  { weight: 1, arbitrary: fc.constantFrom("XTS", "EUR") },
);
const transferId = fc.nat({ max: 15 }).map((number) => `t${number}`);
const holdId = fc.nat({ max: 7 }).map((number) => `h${number}`);

const op: fc.Arbitrary<Op> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constantFrom("debit" as const, "credit" as const),
        id: transferId,
        account: customer,
        counter,
        currency,
        amount,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constant("hold" as const),
        id: holdId,
        account: customer,
        destination: counter,
        currency,
        amount,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant("capture" as const),
        id: transferId,
        hold: holdId,
        amount: fc.option(fc.bigInt(1n, 60n), { freq: 2 }),
        currency,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ op: fc.constant("release" as const), hold: holdId }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("reverse" as const), id: transferId }) },
  )
  .filter(movesBetweenTwo);

/** A transfer to itself is refused before the ledger is asked. */
function movesBetweenTwo(asked: Op): boolean {
  if (asked.op === "hold") return asked.account !== asked.destination;
  return !("counter" in asked) || asked.account !== asked.counter;
}

/** Submits in one turn, so that all of it is decided in one transaction, in order. */
class Ask implements fc.AsyncCommand<Model, Real> {
  readonly #ops: readonly Op[];
  readonly #instance: 0 | 1;
  constructor(ops: readonly Op[], instance: 0 | 1) {
    this.#ops = ops;
    this.#instance = instance;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const deps = real.instances[this.#instance];
    const answers = await Promise.all(this.#ops.map((asked) => ask(deps, real.scope, asked)));
    // A hold in an answer is the hold at the end of its own decision, so the model goes in the same order.
    expect(answers).toEqual(this.#ops.map((asked) => model.apply(asked)));
  }
  toString(): string {
    const ops = JSON.stringify(this.#ops, (_, value) =>
      typeof value === "bigint" ? `${value}n` : value,
    );
    return `Ask(${this.#instance}, ${ops})`;
  }
}

class SetFrozen implements fc.AsyncCommand<Model, Real> {
  readonly #accountId: string;
  readonly #frozen: boolean;
  constructor(accountId: string, frozen: boolean) {
    this.#accountId = accountId;
    this.#frozen = frozen;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const state = this.#frozen ? "FROZEN" : "ACTIVE";
    const change = { accountId: this.#accountId, state } as const;
    const account = await setAccountState(real.instances[0], real.scope, change);
    expect(account.state).toBe(state);
    const known = model.accounts.get(this.#accountId);
    if (known !== undefined) known.frozen = this.#frozen;
  }
  toString(): string {
    return `SetFrozen(${this.#accountId}, ${this.#frozen})`;
  }
}

class ReadEverything implements fc.AsyncCommand<Model, Real> {
  readonly #pageSize: number;
  constructor(pageSize: number) {
    this.#pageSize = pageSize;
  }
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    const [deps] = real.instances;
    for (const [id, known] of model.accounts) {
      const { balance, held, state } = await getAccount(deps, real.scope, id);
      const frozen = state === "FROZEN";
      expect({ id, balance, held, frozen }).toEqual({
        id,
        balance: known.balance,
        held: known.held,
        frozen: known.frozen,
      });
      expect(await allEntries(deps, real.scope, id, this.#pageSize)).toEqual(
        (model.entries.get(id) ?? []).toReversed(),
      );
    }
    const listed = await allAccountIds(deps, real.scope, this.#pageSize);
    expect(listed).toEqual([...model.accounts.keys()].sort());
  }
  toString(): string {
    return `ReadEverything(${this.#pageSize})`;
  }
}

async function allEntries(deps: AccountDeps, scope: Scope, accountId: string, pageSize: number) {
  const entries = [];
  let pageToken = "";
  do {
    const page = await listEntries(deps, scope, { accountId, pageSize, pageToken });
    expect(page.items.length).toBeLessThanOrEqual(pageSize);
    for (const posting of page.items) {
      const pays = posting.sourceAccountId === accountId;
      const balanceAfter = pays ? posting.sourceBalanceAfter : posting.destinationBalanceAfter;
      entries.push({ id: posting.id, pays, amount: posting.amount, balanceAfter });
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return entries;
}

async function allAccountIds(deps: AccountDeps, scope: Scope, pageSize: number): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await listAccounts(deps, scope, { ownerId: "", pageSize, pageToken });
    ids.push(...page.items.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return ids;
}

const commands = fc.commands(
  [
    fc
      .tuple(
        fc.array(op, { minLength: 1, maxLength: 8, size: "max" }),
        fc.constantFrom(0 as const, 1 as const),
      )
      .map(([ops, instance]) => new Ask(ops, instance)),
    fc
      .tuple(
        fc.array(op, { minLength: 1, maxLength: 8, size: "max" }),
        fc.constantFrom(0 as const, 1 as const),
      )
      .map(([ops, instance]) => new Ask(ops, instance)),
    fc
      .tuple(fc.constantFrom(...CUSTOMERS), fc.boolean())
      .map(([id, frozen]) => new SetFrozen(id, frozen)),
    fc.integer({ min: 1, max: 4 }).map((size) => new ReadEverything(size)),
  ],
  { maxCommands: 30, size: "max" },
);

/** Runs so many random histories against the service and a model beside it, and compares them after each step. */
export function describeRandomHistories(numRuns: number): void {
  let ledger: LedgerHarness;
  beforeAll(async () => {
    ledger = await openLedger();
  });
  afterAll(() => ledger[Symbol.asyncDispose]());

  test(`in ${numRuns} histories two instances answer and keep books as the model does, whatever is asked in whatever batches`, async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (run) => {
        const real = await openReal(ledger);
        const setup = () => ({ model: openModel(), real });
        await fc.asyncModelRun(setup, run);
        expect(await faultsOf(ledger.db, real.scope.tenant)).toEqual([]);
      }),
      { numRuns, endOnFailure: false },
    );
  });
}

async function openReal(ledger: LedgerHarness): Promise<Real> {
  const real: Real = {
    scope: ledger.tenant(),
    instances: [ledger.instance(), ledger.instance()],
  };
  for (const [id, currencyCode, minorUnits] of OPENINGS) {
    await openWith(real.instances[0], real.scope, { id, currencyCode, minorUnits });
  }
  return real;
}

function openModel(): Model {
  const model = new Model();
  for (const [id, code, balance] of OPENINGS) model.open(id, code, balance);
  return model;
}
