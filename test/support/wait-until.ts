import { setTimeout as pause } from "node:timers/promises";

/** How long a condition may take, in milliseconds. */
const BOUND_MS = 20_000;

/** Waits until `read` answers something; fails after 20 s with what was awaited. */
export async function waitUntil<T>(
  what: string,
  read: () => Promise<T | undefined> | T | undefined,
  boundMs: number = BOUND_MS,
): Promise<T> {
  const deadlineMs = Date.now() + boundMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > deadlineMs) throw new Error(`waited ${boundMs} ms in vain: ${what}`);
    await pause(20);
  }
}
