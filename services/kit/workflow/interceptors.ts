import {
  ApplicationFailure,
  log,
  proxySinks,
  type Sinks,
  type WorkflowInterceptors,
} from "@temporalio/workflow";
import { isUndecodable, type Undecodable } from "./undecodable.ts";

/** Where a worker counts what its workflows dropped. */
export interface WorkflowSinks extends Sinks {
  readonly messages: { dropped(kind: "signal" | "update" | "query"): void };
}

const { messages } = proxySinks<WorkflowSinks>();

/** Drops messages that cannot be decoded, with a line in the log and a count; whoever waits for an answer gets INVALID_FIELD. */
export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        async execute(input, next) {
          const bad = undecodable(input.args);
          // Fails the task, which is repeated: a worker that has the key can go on.
          if (bad) throw new Error(`the input cannot be decoded: ${bad.undecodable} ${bad.cause}`);
          return next(input);
        },
        async handleSignal(input, next) {
          if (isDropped("signal", input.signalName, input.args)) return;
          await next(input);
        },
        validateUpdate(input, next) {
          refuseDropped("update", input.name, input.args);
          next(input);
        },
        async handleUpdate(input, next) {
          refuseDropped("update", input.name, input.args);
          return next(input);
        },
        async handleQuery(input, next) {
          refuseDropped("query", input.queryName, input.args);
          return next(input);
        },
      },
    ],
    outbound: [],
    internals: [],
  };
}

function undecodable(args: readonly unknown[]): Undecodable | undefined {
  return args.find(isUndecodable);
}

type Kind = Parameters<WorkflowSinks["messages"]["dropped"]>[0];

function isDropped(kind: Kind, name: string, args: readonly unknown[]): boolean {
  const bad = undecodable(args);
  if (bad === undefined) return false;
  log.warn(`a ${kind} that cannot be decoded was dropped`, { name, encoding: bad.undecodable });
  messages.dropped(kind);
  return true;
}

function refuseDropped(kind: Kind, name: string, args: readonly unknown[]): void {
  if (isDropped(kind, name, args))
    throw ApplicationFailure.nonRetryable("the input cannot be decoded", "INVALID_FIELD");
}
