import type { Scope } from "#kit/pure/scope.ts";
import type { AttentionItem } from "../domain/attention.ts";
import type {
  GatewayBook,
  HoldBook,
  PaymentBook,
  PaymentCase,
  TallyBook,
  TaskBook,
  TransferBook,
} from "../domain/books.ts";
import type { AccountCase } from "../domain/judge-accounts.ts";

/** The databases of all services as they were at one moment. Every stream is read in bounded batches. */
export interface Books extends AsyncDisposable {
  readonly snapshotTime: Date;
  /** Sum of all balances per currency, system accounts included. */
  balances(): AsyncIterable<{ readonly currencyCode: string; readonly total: bigint }>;
  /** Every account, and every account that a posting or hold names, by account id. */
  accounts(): AsyncIterable<AccountCase>;
  /** Legs that are posted: two for each transfer. */
  countPostedLegs(): Promise<bigint>;
  /** How many payments there are. */
  countPayments(): Promise<bigint>;
  /** Every payment with all that belongs to it, by payment id. */
  payments(): AsyncIterable<readonly PaymentCase[]>;
  paymentsById(ids: readonly string[]): Promise<ReadonlyMap<string, PaymentBook>>;
  /** Those of the ids that are refunds. */
  refundIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Request ids that more than one payment has. */
  reusedRequestIds(): AsyncIterable<{
    readonly requestId: string;
    readonly paymentIds: readonly string[];
  }>;
  /** Payment ids, of payments or not, that more than one message tells the end of, under whatever ids. */
  repeatedNotices(): AsyncIterable<readonly RepeatedNotice[]>;
  /** Holds in state HELD. */
  heldHolds(): AsyncIterable<readonly HoldBook[]>;
  /** Posted transfers with a provider on one side. */
  providerTransfers(): AsyncIterable<readonly TransferBook[]>;
  /** Tasks that wait for a person. */
  openTasks(): AsyncIterable<readonly TaskBook[]>;
  /** Those of the ids that are refunds under way. */
  pendingRefundIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Messages that are not delivered yet, or were given up. */
  undelivered(): AsyncIterable<readonly AttentionItem[]>;
  /** Webhook deliveries that wait for their endpoint. */
  waitingWebhooks(): AsyncIterable<readonly AttentionItem[]>;
  /** Every tally, and every account and currency that a tallied check names. */
  tallies(): AsyncIterable<TallyBook>;
  /** Versions of payments as they are now, outside the snapshot; absent payments are left out. */
  versionsNow(ids: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
}

/** Messages that tell the end of one payment; at most ten templates are named. */
export interface RepeatedNotice {
  readonly paymentId: string;
  readonly templates: readonly string[];
}

/** The provider's own book, read by its API as it is now. */
export interface GatewayReader {
  /** All transactions by authorisation key. Refuses with GATEWAY_UNAVAILABLE. */
  transactions(scope: Scope, signal: AbortSignal): AsyncIterable<readonly GatewayBook[]>;
  /** One transaction, or undefined when the provider does not know the key. */
  transaction(
    scope: Scope,
    authorizationKey: string,
    signal: AbortSignal,
  ): Promise<GatewayBook | undefined>;
}

/** What an audit works with. */
export interface AuditDeps {
  openBooks(scope: Scope): Promise<Books>;
  readonly gateway: GatewayReader;
  readonly clock: () => Date;
  /** How long Notification keeps a message that was delivered, in milliseconds; infinite where it keeps all. */
  readonly messagesKeptMs: number;
}
