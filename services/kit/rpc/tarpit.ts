import type { Socket } from "node:net";

/** Remembers who misbehaved: whoever is thrown out and comes back at once would otherwise go on as before. */
export interface Tarpit {
  /** A connection from the address was, or is about to be, ended for its conduct. */
  note(address: string | undefined): void;
  /** How long the next HTTP/2 connection from the address waits before it is read, in milliseconds; 0: it is not remembered. */
  waitMs(address: string | undefined): number;
}

/** How long an address is remembered, in milliseconds. */
const REMEMBERED_MS = 10_000;
/** What each of its connections waits meanwhile, in milliseconds: others behind the same address hardly notice. */
const WAIT_MS = 250;
/** Addresses remembered; the oldest goes first. */
const ADDRESSES_MAX = 1_000;

/** `nowMs` is a monotonic clock; tests move it. */
export function createTarpit(nowMs: () => number = () => performance.now()): Tarpit {
  const untilMs = new Map<string, number>();
  return {
    note(address = "") {
      untilMs.delete(address);
      untilMs.set(address, nowMs() + REMEMBERED_MS);
      const [oldest] = untilMs.keys();
      if (untilMs.size > ADDRESSES_MAX && oldest !== undefined) untilMs.delete(oldest);
    },
    waitMs(address = "") {
      const until = untilMs.get(address);
      if (until === undefined) return 0;
      if (nowMs() < until) return WAIT_MS;
      untilMs.delete(address);
      return 0;
    },
  };
}

/** HTTP/2's connection preface, and the header of each frame after it. */
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const RST_STREAM = 3;
/** What is read of a waiting connection, in bytes; the rest stays with its sender. */
const WAITING_BYTES_MAX = 64 * 1024;
/** Calls that a connection may take back at once while its address is remembered. */
export const WATCHED_RESETS_MAX = 16;

/**
 * Lets a connection wait, looks at what it sends meanwhile, and puts that back. Answers false when it goes on as before:
 * Node would first make a call of each of its resets.
 */
export async function waitCalmly(socket: Socket, waitMs: number): Promise<boolean> {
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    if (seen.length >= WAITING_BYTES_MAX) socket.pause();
  };
  socket.on("data", onData);
  socket.resume();
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  socket.off("data", onData);
  socket.pause();
  if (socket.destroyed || resetsIn(seen) > WATCHED_RESETS_MAX) return false;
  if (seen.length > 0) socket.unshift(seen);
  return true;
}

function resetsIn(bytes: Buffer): number {
  let resets = 0;
  for (let at = PREFACE_BYTES; at + FRAME_HEADER_BYTES <= bytes.length; ) {
    if (bytes.readUInt8(at + 3) === RST_STREAM) resets += 1;
    at += FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
  }
  return resets;
}
