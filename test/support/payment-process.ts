import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Stack } from "./stack.ts";
import { waitUntil } from "./wait-until.ts";

const MAIN = path.resolve(import.meta.dirname, "../../services/payment/main.ts");

/** Payment in a process of its own, so that it can be killed as a machine dies: nothing is told to anybody. */
export interface PaymentProcess extends AsyncDisposable {
  /** Ends the process in the middle of whatever it does. */
  kill(): Promise<void>;
}

/** Starts Payment's own `main.ts` in the place of the stack's Payment, which must be stopped. */
export async function startPaymentProcess(stack: Stack): Promise<PaymentProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...stack.env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const kill = async (): Promise<void> => {
    if (hasEnded(child)) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  try {
    await waitUntil(async () => {
      if (hasEnded(child)) throw new Error(`payment ended with code ${child.exitCode}`);
      return (await fetch(`http://${stack.addresses.payment}/readyz`)).ok;
    });
  } catch (error) {
    await kill();
    throw error;
  }
  return { kill, [Symbol.asyncDispose]: kill };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
