import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
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

/** Whether something accepts connections on the port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Waits until a gRPC server says by its health service that it serves. `service` empty asks for the whole server. */
export async function gateServing(
  child: Child,
  logs: string,
  deadlineMs: number,
  target: { readonly port: number; readonly service: string },
): Promise<void> {
  // Loaded here and not before: the program gets ready meanwhile.
  const { createClient } = await import("@connectrpc/connect");
  const { createGrpcTransport, Http2SessionManager } = await import("@connectrpc/connect-node");
  const { Health, HealthCheckResponse_ServingStatus } = await import(
    "#gen/grpc/health/v1/health_pb.ts"
  );
  await gate(child, logs, deadlineMs, () => accepts(target.port));
  const baseUrl = `http://127.0.0.1:${target.port}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const health = createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
  try {
    await gate(child, logs, deadlineMs, async () => {
      const { service } = target;
      const answer = await health.check({ service }, { timeoutMs: 2_000 }).catch(() => undefined);
      return answer?.status === HealthCheckResponse_ServingStatus.SERVING;
    });
  } finally {
    sessionManager.abort();
  }
}
