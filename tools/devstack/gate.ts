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
