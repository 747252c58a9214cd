import { status } from "@grpc/grpc-js";
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import type { SignalDefinition, UpdateDefinition } from "@temporalio/common";

/** How long a start or a signal may take, in milliseconds. */
const CALL_TIMEOUT_MS = 5_000;
/** How often an update is sent that the server loses; each time something else must have come in that very moment. */
const UPDATE_SENDS_MAX = 5;

/** What starting answers: a new run, or that one of this id is there already. */
export type Start =
  | { readonly started: true; readonly runId: string }
  | { readonly started: false };

/** A workflow to start. */
export interface WorkflowStart {
  readonly type: string;
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly input: unknown;
  /** `first`: only if the id was never used. `again`: only if no run of it is open now. */
  readonly mode: "first" | "again";
  /** One line for people who look at the Temporal UI. */
  readonly summary: string;
}

/** Temporal as an application sees it: bounded calls, and answers instead of exceptions where something else is expected. */
export interface WorkflowClient {
  /** Starts eagerly where client and worker share a process. No execution timeout: it would end a saga without its undo. */
  start(start: WorkflowStart): Promise<Start>;
  /** False when no run of the id is open. */
  signal<T>(workflowId: string, signal: SignalDefinition<[T]>, payload: T): Promise<boolean>;
  /** Undefined when no run took the update, it was refused, or it did not answer in time: then the row tells. */
  update<R, T>(
    workflowId: string,
    update: UpdateDefinition<R, [T]>,
    options: { readonly updateId: string; readonly payload: T; readonly timeoutMs: number },
  ): Promise<R | undefined>;
}

/** Wraps Temporal's client; for eager starts it must share its native connection with a worker. */
export function createWorkflowClient(client: Client): WorkflowClient {
  const bounded = <T>(timeoutMs: number, run: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + timeoutMs, run);
  return {
    async start({ type, mode, input, workflowId, taskQueue, summary }) {
      try {
        const handle = await bounded(CALL_TIMEOUT_MS, () =>
          client.workflow.start(type, {
            workflowId,
            taskQueue,
            workflowIdReusePolicy: mode === "first" ? "REJECT_DUPLICATE" : "ALLOW_DUPLICATE",
            workflowIdConflictPolicy: "FAIL",
            requestEagerStart: true,
            staticSummary: summary,
            args: [input],
          }),
        );
        return { started: true, runId: handle.firstExecutionRunId };
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return { started: false };
        throw error;
      }
    },
    async signal(workflowId, signal, payload) {
      const handle = client.workflow.getHandle(workflowId);
      try {
        await bounded(CALL_TIMEOUT_MS, () => handle.signal(signal, payload));
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    async update(workflowId, update, { updateId, payload, timeoutMs }) {
      const handle = client.workflow.getHandle(workflowId);
      const deadlineMs = Date.now() + timeoutMs;
      for (let sends = 1; ; sends += 1) {
        try {
          return await bounded(deadlineMs - Date.now(), () =>
            handle.executeUpdate(update, { updateId, args: [payload] }),
          );
        } catch (error) {
          if (isUnanswered(error)) return undefined;
          if (!isLost(error) || sends === UPDATE_SENDS_MAX) throw error;
        }
      }
    },
  };
}

function isUnanswered(error: unknown): boolean {
  return (
    error instanceof WorkflowNotFoundError ||
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError
  );
}

/**
 * Something else reached the workflow while a task that carried the update ran: the server throws the task away, and the
 * update with it. The run will never know of it, whatever its activities have done; the same id makes a repeat safe.
 */
function isLost(error: unknown): boolean {
  return (
    error instanceof ServiceError &&
    isGrpcServiceError(error.cause) &&
    error.cause.code === status.FAILED_PRECONDITION
  );
}
