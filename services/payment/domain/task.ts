/** Who closed a task whose cause went away by itself. */
export const CLOSED_BY_ITSELF = "settle";

/** Something a person must look at. */
export interface Task {
  readonly tenant: string;
  /** `<payment>:<kind>`, or `<refund>:<kind>` where it is about a refund, of which a payment may have many. */
  readonly taskId: string;
  readonly paymentId: string;
  /** Only of a task about a refund. */
  readonly refundId?: string;
  readonly kind: string;
  readonly state: "OPEN" | "CLOSED";
  readonly detail: string;
  /** How often the cause came up. Rows of before count as 1. */
  readonly occurrences?: number;
  readonly createTime: Date;
  readonly closeTime?: Date;
  readonly closedBy?: string;
  readonly note?: string;
}

/** What opens a task. */
export type TaskCause = Pick<Task, "paymentId" | "refundId" | "kind" | "detail">;

/** Kinds whose cause is gone once their payment or refund has ended. The others are about money that lies somewhere. */
const ENDS_WITH_SUBJECT: readonly string[] = ["FRAUD_REVIEW", "STEP_STUCK", "COMPENSATION_FAILED"];

/** Whether the end of the payment or refund closes the task. */
export function endsWithSubject(kind: string): boolean {
  return ENDS_WITH_SUBJECT.includes(kind);
}
