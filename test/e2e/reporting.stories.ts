/** How a payment of the books ended, and what stands elsewhere because of it. */
export interface Story {
  readonly id: string;
  readonly status: string;
  readonly amount: bigint;
  readonly captured?: bigint;
  readonly phase: "OPEN" | "CAPTURING" | "UNDOING";
  readonly failure?: string;
  /** State of the hold; absent means that there is none. */
  readonly hold?: "HELD" | "CAPTURED" | "RELEASED" | "DECLINED";
  readonly fromSuspense?: boolean;
  /** State at the provider; absent means that it knows nothing. */
  readonly gateway?: string;
  readonly lateRefund?: boolean;
  readonly check?: "PASS" | "FAIL";
  /** Amounts of refunds by id and status. */
  readonly refunds?: readonly {
    readonly id: string;
    readonly amount: bigint;
    readonly status: string;
  }[];
  /** Stored and not yet dealt with. */
  readonly openCallback?: boolean;
  readonly notifyPending?: boolean;
}

/** Clean books with every kind of payment: the ground that a test breaks one thing of. */
export const STORIES: readonly Story[] = [
  {
    id: "p01",
    status: "SUCCEEDED",
    amount: 1_000n,
    captured: 1_000n,
    phase: "CAPTURING",
    hold: "CAPTURED",
    gateway: "CAPTURED",
    check: "PASS",
  },
  {
    id: "p02",
    status: "PARTIALLY_REFUNDED",
    amount: 2_000n,
    captured: 2_000n,
    phase: "CAPTURING",
    hold: "CAPTURED",
    gateway: "CAPTURED",
    check: "PASS",
    refunds: [
      { id: "r1", amount: 500n, status: "SUCCEEDED" },
      { id: "r2", amount: 9n, status: "FAILED" },
    ],
  },
  {
    id: "p03",
    status: "FAILED",
    amount: 99_999n,
    phase: "OPEN",
    failure: "INSUFFICIENT_FUNDS",
    hold: "DECLINED",
  },
  {
    id: "p04",
    status: "FAILED",
    amount: 70n,
    phase: "UNDOING",
    failure: "GATEWAY_DECLINED",
    hold: "RELEASED",
    gateway: "DECLINED",
    check: "PASS",
  },
  {
    id: "p05",
    status: "CANCELLED",
    amount: 80n,
    phase: "UNDOING",
    failure: "CANCELLED",
    hold: "RELEASED",
    gateway: "VOIDED",
    check: "FAIL",
  },
  {
    id: "p06",
    status: "FAILED",
    amount: 90n,
    phase: "UNDOING",
    failure: "GATEWAY_TIMEOUT",
    hold: "RELEASED",
    gateway: "CAPTURED",
    lateRefund: true,
    check: "PASS",
  },
  {
    id: "p07",
    status: "PROCESSING",
    amount: 300n,
    phase: "OPEN",
    hold: "HELD",
    gateway: "AUTHORIZED",
    check: "PASS",
  },
  {
    id: "p08",
    status: "SUCCEEDED",
    amount: 110n,
    captured: 110n,
    phase: "CAPTURING",
    hold: "RELEASED",
    fromSuspense: true,
    gateway: "CAPTURED",
    check: "PASS",
  },
  {
    id: "p09",
    status: "SUCCEEDED",
    amount: 500n,
    captured: 200n,
    phase: "CAPTURING",
    hold: "CAPTURED",
    gateway: "CAPTURED",
    check: "PASS",
  },
  {
    id: "p10",
    status: "REFUNDED",
    amount: 60n,
    captured: 60n,
    phase: "CAPTURING",
    hold: "CAPTURED",
    gateway: "CAPTURED",
    check: "PASS",
    refunds: [{ id: "r3", amount: 60n, status: "SUCCEEDED" }],
  },
  {
    id: "p11",
    status: "SUCCEEDED",
    amount: 10n,
    captured: 10n,
    phase: "CAPTURING",
    hold: "CAPTURED",
    gateway: "CAPTURED",
    check: "PASS",
    notifyPending: true,
  },
  {
    id: "p12",
    status: "CANCELLED",
    amount: 20n,
    phase: "UNDOING",
    failure: "CANCELLED",
    hold: "RELEASED",
    gateway: "AUTHORIZED",
    check: "PASS",
    openCallback: true,
  },
  {
    id: "p13",
    status: "SUCCEEDED",
    amount: 40n,
    captured: 40n,
    phase: "CAPTURING",
    hold: "CAPTURED",
    gateway: "CAPTURED",
    check: "PASS",
    refunds: [{ id: "r4", amount: 5n, status: "PENDING" }],
  },
  {
    id: "p14",
    status: "FAILED",
    amount: 30n,
    phase: "CAPTURING",
    failure: "GATEWAY_DECLINED",
    hold: "RELEASED",
    gateway: "DECLINED",
    check: "PASS",
  },
];

/** How many of the stories are final, and how many have something left to do (p07, p11, p12, p13). */
export const FINAL_STORIES = STORIES.filter(({ status }) => status !== "PROCESSING").length;
export const OPEN_STORIES = 4;
