/**
 * The ledger as one would write it on a blackboard: maps, no database, no batches, no code of the service. The
 * properties compare the real one with it, answer by answer.
 */

/** One thing a caller asks for. Ids come from small sets so that repeats and collisions are frequent. */
export type Op =
  | {
      readonly op: "debit" | "credit";
      readonly id: string;
      readonly account: string;
      readonly counter: string;
      readonly currency: string;
      readonly amount: bigint;
    }
  | {
      readonly op: "hold";
      readonly id: string;
      readonly account: string;
      readonly destination: string;
      readonly currency: string;
      readonly amount: bigint;
    }
  | {
      readonly op: "capture";
      readonly id: string;
      readonly hold: string;
      /** Null means all of it; the currency is then not asked for. */
      readonly amount: bigint | null;
      readonly currency: string;
    }
  | { readonly op: "release"; readonly hold: string }
  | { readonly op: "reverse"; readonly id: string };

export interface ModelAccount {
  readonly currency: string;
  readonly system: boolean;
  balance: bigint;
  held: bigint;
  frozen: boolean;
}

interface ModelTransfer {
  readonly content: string;
  readonly answer: string;
  readonly posted?: { readonly from: string; readonly to: string; readonly amount: bigint };
}

interface ModelHold {
  readonly content: string;
  readonly account: string;
  readonly destination: string;
  readonly currency: string;
  readonly amount: bigint;
  state: string;
  captured: bigint;
  readonly refusal: string;
}

/** An entry of an account's list, oldest first. */
export interface ModelEntry {
  readonly id: string;
  readonly pays: boolean;
  readonly amount: bigint;
  readonly balanceAfter: bigint | null;
}

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

export class Model {
  readonly accounts = new Map<string, ModelAccount>();
  readonly entries = new Map<string, ModelEntry[]>();
  readonly holds = new Map<string, ModelHold>();
  readonly #transfers = new Map<string, ModelTransfer>();

  open(id: string, currency: string, balance: bigint): void {
    this.accounts.set(id, { currency, system: false, balance: 0n, held: 0n, frozen: false });
    if (balance > 0n) this.#post(`opening:${id}`, `external:funding:${currency}`, id, balance);
  }

  /** What the service must answer, written as one line. */
  apply(op: Op): string {
    switch (op.op) {
      case "debit":
        return this.#transfer(op, op.account, op.counter);
      case "credit":
        return this.#transfer(op, op.counter, op.account);
      case "hold":
        return this.#hold(op);
      case "capture":
        return this.#capture(op);
      case "release":
        return this.#release(op.hold);
      case "reverse":
        return this.#reverse(op.id);
    }
  }

  #transfer(op: Extract<Op, { op: "debit" | "credit" }>, from: string, to: string): string {
    const content = `${op.op} ${from} ${to} ${op.currency} ${op.amount}`;
    const known = this.#known(op.id, content);
    if (known !== undefined) return known;
    const refusal = this.#judge(from, to, op.currency, op.amount, false, 0n);
    if (refusal !== undefined) return this.#store(op.id, content, refusal);
    this.#post(op.id, from, to, op.amount);
    const after = this.#balanceAfter(op.account);
    return this.#store(op.id, content, `posted ${op.amount} balance ${after}`, {
      from,
      to,
      amount: op.amount,
    });
  }

  #hold(op: Extract<Op, { op: "hold" }>): string {
    const content = `${op.account} ${op.destination} ${op.currency} ${op.amount}`;
    const known = this.holds.get(op.id);
    if (known !== undefined) {
      if (known.state === "TOMBSTONED") return "no TRANSACTION_REVERSED";
      if (known.content !== content) return "no TRANSACTION_ID_REUSED";
      return known.refusal === "" ? this.#holdLine(known) : known.refusal;
    }
    const refusal =
      this.#judge(op.account, op.destination, op.currency, op.amount, false, 0n) ?? "";
    const hold: ModelHold = {
      content,
      account: op.account,
      destination: op.destination,
      currency: op.currency,
      amount: op.amount,
      state: refusal === "" ? "HELD" : "DECLINED",
      captured: 0n,
      refusal,
    };
    this.holds.set(op.id, hold);
    if (refusal !== "") return refusal;
    this.#account(op.account).held += op.amount;
    return this.#holdLine(hold);
  }

  #capture(op: Extract<Op, { op: "capture" }>): string {
    const asked = op.amount === null ? "all" : `${op.currency} ${op.amount}`;
    const content = `capture ${op.hold} ${asked}`;
    const known = this.#known(op.id, content);
    if (known !== undefined) return known;
    const hold = this.holds.get(op.hold);
    const refusal = this.#judgeCapture(hold, op);
    if (hold === undefined || refusal !== undefined) {
      return this.#store(op.id, content, refusal ?? "no HOLD_NOT_FOUND");
    }
    const amount = op.amount ?? hold.amount;
    this.#account(hold.account).held -= hold.amount;
    this.#post(op.id, hold.account, hold.destination, amount);
    hold.state = "CAPTURED";
    hold.captured = amount;
    const posted = { from: hold.account, to: hold.destination, amount };
    return this.#store(op.id, content, `captured ${amount} of ${hold.amount}`, posted);
  }

  #judgeCapture(
    hold: ModelHold | undefined,
    op: Extract<Op, { op: "capture" }>,
  ): string | undefined {
    if (hold === undefined) return "no HOLD_NOT_FOUND";
    if (hold.state !== "HELD") return `no HOLD_ALREADY_RESOLVED ${hold.state}`;
    if (op.amount !== null && op.currency !== hold.currency) return "no CURRENCY_MISMATCH";
    const amount = op.amount ?? hold.amount;
    if (amount > hold.amount) return "no AMOUNT_EXCEEDS_HOLD";
    const { account, destination, currency } = hold;
    return this.#judge(account, destination, currency, amount, true, hold.amount);
  }

  #release(id: string): string {
    const hold = this.holds.get(id);
    if (hold === undefined) {
      const none = { content: "", account: "", destination: "", currency: "", refusal: "" };
      this.holds.set(id, { ...none, amount: 0n, captured: 0n, state: "TOMBSTONED" });
      return "hold TOMBSTONED";
    }
    if (hold.state === "CAPTURED") return "no HOLD_ALREADY_RESOLVED CAPTURED";
    if (hold.state === "HELD") {
      this.#account(hold.account).held -= hold.amount;
      hold.state = "RELEASED";
    }
    return `hold ${hold.state}`;
  }

  #reverse(id: string): string {
    const known = this.#transfers.get(id);
    if (known === undefined) {
      this.#transfers.set(id, { content: "", answer: "no TRANSACTION_REVERSED" });
      return "reversed TOMBSTONED";
    }
    if (known.posted === undefined) {
      return known.content === "" ? "reversed TOMBSTONED" : "reversed DECLINED";
    }
    const reversal = this.#transfers.get(`${id}:reversal`);
    if (reversal !== undefined) return reversal.answer;
    const { from, to, amount } = known.posted;
    const currency = this.#account(from).currency;
    const refusal = this.#judge(to, from, currency, amount, true, 0n);
    if (refusal === undefined) this.#post(`${id}:reversal`, to, from, amount);
    return this.#store(`${id}:reversal`, "reversal", refusal ?? `reversed ${amount}`);
  }

  #judge(
    from: string,
    to: string,
    currency: string,
    amount: bigint,
    promised: boolean,
    fromHold: bigint,
  ): string | undefined {
    for (const id of [from, to]) if (this.#find(id) === undefined) return "no ACCOUNT_NOT_FOUND";
    for (const id of [from, to]) {
      if (this.#account(id).currency !== currency) return "no CURRENCY_MISMATCH";
    }
    const source = this.#account(from);
    if (source.frozen && !promised) return "no ACCOUNT_FROZEN";
    if (!source.system && source.balance - source.held + fromHold < amount) {
      return "no INSUFFICIENT_FUNDS";
    }
    if (source.balance - amount < MIN) return "no BALANCE_OVERFLOW";
    return this.#account(to).balance + amount > MAX ? "no BALANCE_OVERFLOW" : undefined;
  }

  #post(id: string, from: string, to: string, amount: bigint): void {
    const source = this.#account(from);
    const destination = this.#account(to);
    source.balance -= amount;
    destination.balance += amount;
    this.accounts.set(from, source);
    this.accounts.set(to, destination);
    this.#enter(from, { id, pays: true, amount, balanceAfter: this.#balanceAfter(from) });
    this.#enter(to, { id, pays: false, amount, balanceAfter: this.#balanceAfter(to) });
  }

  #enter(account: string, entry: ModelEntry): void {
    this.entries.set(account, [...(this.entries.get(account) ?? []), entry]);
  }

  #balanceAfter(id: string): bigint | null {
    const account = this.#account(id);
    return account.system ? null : account.balance;
  }

  #find(id: string): ModelAccount | undefined {
    const found = this.accounts.get(id);
    if (found !== undefined) return found;
    const currency = /^(?:external:funding|provider:mock|suspense):([A-Z]{3})$/.exec(id)?.[1];
    if (currency === undefined) return undefined;
    return { currency, system: true, balance: 0n, held: 0n, frozen: false };
  }

  #account(id: string): ModelAccount {
    const found = this.#find(id);
    if (found === undefined) throw new Error(`the model has no ${id}`);
    return found;
  }

  #known(id: string, content: string): string | undefined {
    const known = this.#transfers.get(id);
    if (known === undefined) return undefined;
    if (known.content === "") return "no TRANSACTION_REVERSED";
    return known.content === content ? known.answer : "no TRANSACTION_ID_REUSED";
  }

  #store(id: string, content: string, answer: string, posted?: ModelTransfer["posted"]): string {
    this.#transfers.set(id, { content, answer, ...(posted ? { posted } : {}) });
    return answer;
  }

  #holdLine(hold: ModelHold): string {
    return `hold ${hold.state} ${hold.amount} captured ${hold.captured}`;
  }
}
