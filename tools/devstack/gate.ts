import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { PeerIdentity } from "#kit/auth/security.ts";
import { type Child, lastLogLines } from "./child.ts";

/** Waits until `ready` says yes; fails at the deadline, or at once with its last log lines when the program ends. */
export async function gate(
  child: Child,
  logs: string,
  deadlineMs: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await ready())) {
    if (child.hasExited()) throw await endedError(child, logs);
    if (Date.now() > deadline) {
      const lines = await lastLogLines(logs, child.name);
      throw new Error(
        `${child.name} was not ready after ${deadlineMs / 1000} s. Its last log lines:\n${lines}`,
      );
    }
    await delay(20);
  }
}

/** Why a program is gone, with its last log lines. */
export async function endedError(child: Child, logs: string): Promise<Error> {
  const how = await child.exited;
  return new Error(
    `${how}. Its last log lines (${logs}/${child.name}.log):\n${await lastLogLines(logs, child.name)}`,
  );
}

/** Whether something accepts connections on the port. */
export function accepts(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** A gRPC server to ask for its health. */
export interface Target {
  readonly url: string;
  /** Empty asks for the whole server. */
  readonly service: string;
  readonly identity?: PeerIdentity;
}

/** Waits until a gRPC server says by its health service that it serves. */
export async function gateServing(
  child: Child,
  logs: string,
  deadlineMs: number,
  target: Target,
): Promise<void> {
  // Loaded here and not before: the program gets ready meanwhile.
  const { createClient } = await import("@connectrpc/connect");
  const { connectTo } = await import("#kit/rpc/client.ts");
  const { Health, HealthCheckResponse_ServingStatus } = await import(
    "#gen/grpc/health/v1/health_pb.ts"
  );
  const { hostname, port } = new URL(target.url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  await gate(child, logs, deadlineMs, () => accepts(Number(port), host));
  const { transport, sessions } = connectTo(target.url, target.identity ?? {});
  const health = createClient(Health, transport);
  try {
    await gate(child, logs, deadlineMs, async () => {
      const { service } = target;
      const answer = await health.check({ service }, { timeoutMs: 2_000 }).catch(() => undefined);
      return answer?.status === HealthCheckResponse_ServingStatus.SERVING;
    });
  } finally {
    sessions.abort();
  }
}
