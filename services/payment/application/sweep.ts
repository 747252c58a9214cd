import { nextLookAt } from "../domain/next-look.ts";
import { buildNotice, type Notice } from "../domain/notice.ts";
import { amountOf, type Payment, type Refund } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { deliverCallback } from "./receive-callback.ts";
import { resumePayment } from "./resume-payment.ts";

/** Rows read at once. */
const BATCH = 500;
/** Messages sent per sweep: few, so that a Notification that hangs delays the next look at payments by seconds only. */
const NOTICES = 32;
/** Starts under way at once, so that a sweep does not crowd out the payments that are alive. */
const PARALLEL = 16;
/** How often the age of a due row passes before a running payment is looked at again: 30 s by default. */
const RECHECK_AGES = 3;
/** How long a running workflow may take to hear of a decision, in milliseconds; its end is not waited for. */
const TELL_MS = 1_000;
const ERRORS_MAX = 20;

/** What a sweep did. */
export interface SweepReport {
  openPayments: number;
  openRefunds: number;
  startedWorkflows: number;
  runningWorkflows: number;
  signalledCallbacks: number;
  sentNotifications: number;
  /** The first 20 causes of what could not be done; the next sweep tries again. */
  readonly errors: string[];
}

/**
 * Makes sure that whatever was accepted goes on: starts the workflow of each payment and refund that should have ended
 * and has none, delivers callbacks that nobody recorded, and stores messages that were not stored. There is no second
 * implementation of the saga: the started workflow goes on from the rows. `everything` also takes rows that are not due yet.
 */
export async function sweep(deps: PaymentDeps, options: SweepOptions): Promise<SweepReport> {
  const report: SweepReport = {
    openPayments: 0,
    openRefunds: 0,
    startedWorkflows: 0,
    runningWorkflows: 0,
    signalledCallbacks: 0,
    sentNotifications: 0,
    errors: [],
  };
  const horizon = options.everything ? new Date(8.64e15) : new Date();
  const settled = options.everything ? new Date() : new Date(Date.now() - deps.sweepAfterMs);
  await sweepDue(deps, report, options, {
    collection: "payments",
    find: (limit) => deps.store.duePayments(horizon, limit),
    idOf: ({ paymentId }) => paymentId,
    restart: (payment) => restartPayment(deps, report, payment),
  });
  await sweepDue(deps, report, options, {
    collection: "refunds",
    find: (limit) => deps.store.dueRefunds(horizon, limit),
    idOf: ({ refundId }) => refundId,
    restart: (refund) => restartRefund(deps, report, refund),
  });
  await sweepCallbacks(deps, report, settled);
  await sweepNotifications(deps, report, settled);
  // Counting looks at every open row; only who asked for everything wants to know.
  if (options.everything) Object.assign(report, await deps.store.countOpen());
  return report;
}

interface SweepOptions {
  readonly everything: boolean;
  readonly signal?: AbortSignal;
}

/** One kind of row that a workflow must bring to its end. */
interface Kind<R extends { readonly tenant: string }> {
  readonly collection: "payments" | "refunds";
  find(limit: number): Promise<readonly R[]>;
  idOf(row: R): string;
  /** Answers when to look at the row again, if that is later than usual. */
  restart(row: R): Promise<Date | undefined>;
}

async function sweepDue<R extends { readonly tenant: string }>(
  deps: PaymentDeps,
  report: SweepReport,
  { everything, signal }: SweepOptions,
  { collection, find, idOf, restart }: Kind<R>,
): Promise<void> {
  // A postponed row is due again in a sweep of everything: it is looked at once.
  const seen = new Set<string>();
  for (;;) {
    const due = (await find(BATCH)).filter((row) => !seen.has(idOf(row)));
    if (due.length === 0 || signal?.aborted) return;
    for (const row of due) seen.add(idOf(row));
    const look = (row: R, time: Date) => ({ tenant: row.tenant, id: idOf(row), time });
    const soon = recheckTime(deps);
    // First for all, so that two sweepers do not start the same; a crash after this line costs that much time.
    await deps.store.postpone(
      collection,
      due.map((row) => look(row, soon)),
    );
    const later: ReturnType<typeof look>[] = [];
    await inParallel(due, (row) =>
      attempt(report, idOf(row), async () => {
        const time = await restart(row);
        if (time !== undefined && time > soon) later.push(look(row, time));
      }),
    );
    await deps.store.postpone(collection, later);
    // A full batch means that there is more: after an outage all rows are due, and the one that was lost may be the last.
    // Not while something fails: then every row costs a timeout, and callbacks and messages wait behind all of them.
    if (!everything && (due.length < BATCH || report.errors.length > 0)) return;
  }
}

function recheckTime({ sweepAfterMs }: PaymentDeps): Date {
  return new Date(Date.now() + RECHECK_AGES * sweepAfterMs);
}

async function restartPayment(
  deps: PaymentDeps,
  report: SweepReport,
  payment: Payment,
): Promise<Date | undefined> {
  const start = await resumePayment(deps, payment);
  if (start.started) {
    report.startedWorkflows += 1;
    return undefined;
  }
  report.runningWorkflows += 1;
  await tellDecision(deps, payment);
  return nextLookAt(payment, deps.policy, new Date());
}

/**
 * Who decides with an etag writes the row first and may die before the running workflow hears of it; and a run that an
 * operator reset may wait for what was decided long ago. An update of one id is heard once, however often it is sent.
 */
async function tellDecision(deps: PaymentDeps, { paymentId, phase }: Payment): Promise<void> {
  if (phase.kind === "CAPTURING") {
    const requestId = phase.requestId || "decided";
    await deps.workflows.capture(paymentId, { ...phase, requestId }, TELL_MS);
  } else if (phase.kind === "UNDOING") {
    await deps.workflows.cancel(paymentId, "decided", TELL_MS);
  }
}

async function restartRefund(
  deps: PaymentDeps,
  report: SweepReport,
  refund: Refund,
): Promise<undefined> {
  const payment = await deps.store.findPayment(refund, refund.paymentId);
  if (!payment) throw new Error(`refund ${refund.refundId} has no payment`);
  const start = await deps.workflows.startRefund(refund, payment.accountId, "again");
  if (start.started) report.startedWorkflows += 1;
  else report.runningWorkflows += 1;
}

/**
 * Callbacks that no run was told, and those that a run was told and did not record until its payment ended. A run is told
 * once: what waits for days would else collect a signal with each sweep.
 */
async function sweepCallbacks(deps: PaymentDeps, report: SweepReport, before: Date): Promise<void> {
  const long = new Date(before.getTime() - (RECHECK_AGES - 1) * deps.sweepAfterMs);
  const due = [
    ...(await deps.store.dueCallbacks("RECEIVED", before, BATCH)),
    ...(await deps.store.dueCallbacks("SIGNALLED", long, BATCH)),
  ];
  await deps.store.touchCallbacks(due);
  await inParallel(due, (callback) =>
    attempt(report, callback.paymentId, async () => {
      const payment = await deps.store.findPayment(callback, callback.paymentId);
      const final = payment?.final ?? false;
      if (callback.state === "SIGNALLED" && !final) return;
      await deliverCallback(deps, callback, final);
      report.signalledCallbacks += 1;
    }),
  );
}

async function sweepNotifications(
  deps: PaymentDeps,
  report: SweepReport,
  before: Date,
): Promise<void> {
  const owing = await deps.store.untold(before, NOTICES);
  await inParallel(owing, (row) =>
    attempt(report, row.paymentId, async () => {
      await tell(deps, row);
      report.sentNotifications += 1;
    }),
  );
}

async function tell(deps: PaymentDeps, row: Payment | Refund): Promise<void> {
  if (row.notify === null) return;
  if ("refundId" in row) {
    const payment = await deps.store.findPayment(row, row.paymentId);
    if (!payment) throw new Error(`refund ${row.refundId} has no payment`);
    await deps.peers.sendNotice(
      row.tenant,
      noticeFor(row, row.refundId, payment.accountId, "refunded"),
    );
    await deps.store.clearRefundNotify(row, row.refundId);
    return;
  }
  await deps.peers.sendNotice(row.tenant, noticeFor(row, row.paymentId, row.accountId, row.notify));
  await deps.store.clearNotify(row, row.paymentId, row.notify);
}

function noticeFor(
  row: Payment | Refund,
  id: string,
  accountId: string,
  event: Parameters<typeof buildNotice>[0]["event"],
): Notice {
  const amount = amountOf(row);
  const reason = row.failure?.reason ?? "";
  const captured = "refundId" in row ? {} : { captured: row.capturedAmount };
  return buildNotice({
    id,
    paymentId: row.paymentId,
    accountId,
    amount,
    ...captured,
    event,
    reason,
  });
}

async function attempt(report: SweepReport, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (report.errors.length < ERRORS_MAX) {
      report.errors.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
