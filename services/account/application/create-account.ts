import { isCurrency } from "#kit/pure/currency.ts";
import type { Scope } from "#kit/pure/scope.ts";
import { Refusal, refuseField } from "#kit/refusal.ts";
import { ACCOUNT_ID, type Account, isReservedId, openAccount } from "../domain/account.ts";
import type { AccountDeps } from "./ports.ts";

/** What CreateAccount asks for. */
export interface CreateAccountInput {
  readonly accountId: string;
  readonly ownerId: string;
  readonly currencyCode: string;
  /** Names this creation, so that its repeat finds its own account and not somebody else's. */
  readonly requestId: string;
}

const OWNER_LENGTH_MAX = 128;

/** Opens an account with balance 0. Refuses with RESOURCE_EXISTS when the id or the owner's place is taken. */
export async function createAccount(
  deps: AccountDeps,
  scope: Scope,
  input: CreateAccountInput,
): Promise<Account> {
  checkAccount(input);
  const { accountId: id, ownerId, currencyCode } = input;
  const identity = { tenant: scope.tenant, id, kind: "CUSTOMER", ownerId, currencyCode } as const;
  const opened = openAccount(identity, deps.now());
  const found = await deps.store.insertAccount(scope, opened, input.requestId);
  if (found.requestId === input.requestId) return found.account;
  throw new Refusal("RESOURCE_EXISTS", { metadata: { account_id: found.account.id } });
}

function checkAccount(input: CreateAccountInput): void {
  if (!ACCOUNT_ID.test(input.accountId)) {
    throw refuseField("account.account_id", "must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  if (isReservedId(input.accountId)) {
    throw refuseField(
      "account.account_id",
      "external:, provider: and suspense begin the names of system accounts",
    );
  }
  if ([...input.ownerId].length > OWNER_LENGTH_MAX) {
    throw refuseField("account.owner_id", `must be at most ${OWNER_LENGTH_MAX} characters`);
  }
  if (!isCurrency(input.currencyCode)) {
    throw refuseField("account.currency_code", "not an ISO 4217 code", "UNSUPPORTED_CURRENCY");
  }
}
