import type { Db } from "mongodb";
import {
  dueCallbacks,
  finishCallbacks,
  insertCallback,
  markSignalled,
  pendingCallbacks,
  touchCallbacks,
} from "./callbacks.ts";
import {
  claimPhase,
  clearNotify,
  findPayment,
  finishPayment,
  insertPayment,
  listPayments,
  parkPayment,
} from "./payments.ts";
import {
  clearRefundNotify,
  findRefund,
  finishRefund,
  listRefunds,
  reserveRefund,
} from "./refunds.ts";
import { countOpen, duePayments, dueRefunds, postpone, untold } from "./sweep.ts";
import {
  closeEndedTasks,
  closeTask,
  countOpenTasks,
  findTask,
  listTasks,
  openTask,
} from "./tasks.ts";

/** Payment's database as the application sees it: each function without its first argument. */
export type PaymentStore = ReturnType<typeof createPaymentStore>;

/** Binds the store's functions to a database. */
export function createPaymentStore(db: Db) {
  const bind =
    <A extends unknown[], R>(query: (db: Db, ...rest: A) => R) =>
    (...rest: A): R =>
      query(db, ...rest);
  return {
    insertPayment: bind(insertPayment),
    findPayment: bind(findPayment),
    listPayments: bind(listPayments),
    claimPhase: bind(claimPhase),
    parkPayment: bind(parkPayment),
    finishPayment: bind(finishPayment),
    clearNotify: bind(clearNotify),
    reserveRefund: bind(reserveRefund),
    findRefund: bind(findRefund),
    listRefunds: bind(listRefunds),
    finishRefund: bind(finishRefund),
    clearRefundNotify: bind(clearRefundNotify),
    insertCallback: bind(insertCallback),
    markSignalled: bind(markSignalled),
    pendingCallbacks: bind(pendingCallbacks),
    finishCallbacks: bind(finishCallbacks),
    dueCallbacks: bind(dueCallbacks),
    touchCallbacks: bind(touchCallbacks),
    openTask: bind(openTask),
    closeEndedTasks: bind(closeEndedTasks),
    findTask: bind(findTask),
    closeTask: bind(closeTask),
    listTasks: bind(listTasks),
    countOpenTasks: bind(countOpenTasks),
    duePayments: bind(duePayments),
    dueRefunds: bind(dueRefunds),
    postpone: bind(postpone),
    untold: bind(untold),
    countOpen: bind(countOpen),
  };
}
