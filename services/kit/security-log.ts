import type { Log } from "./log.ts";
import { refilled } from "./rpc/token-bucket.ts";

/** What somebody who guards the system wants to know of. */
export type SecurityEvent =
  | "unauthenticated"
  | "denied"
  | "rate_limited"
  | "overloaded"
  | "page_refused"
  | "callback_forged"
  | "callback_refused"
  | "stream_ended"
  | "key_created"
  | "key_rotated"
  | "key_revoked";

/** One event. No credentials, no bodies. */
export interface SecurityNote {
  readonly event: SecurityEvent;
  /** Address the call came from. */
  readonly source: string;
  /** Who called, where that is known. */
  readonly tenant?: string | undefined;
  readonly subject?: string | undefined;
  readonly credential?: string | undefined;
  /** RPC or path. */
  readonly target?: string | undefined;
  /** Id of what was changed, say of a key. */
  readonly object?: string | undefined;
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Writes security events. */
export interface SecurityLog {
  note(event: SecurityNote): void;
}

/** Events of the system's own people: each is written. */
const CHANGES: ReadonlySet<SecurityEvent> = new Set(["key_created", "key_rotated", "key_revoked"]);
/** Lines of one kind of event under a flood: per second, and at once. Each event is counted all the same. */
const LINES = { perSecond: 2, burst: 20 };

/**
 * One log line per event, with who and from where, and never a stack trace. A flood of one kind is sampled: the next line
 * that is written says how many were left out. `count` hears of every event.
 */
export function createSecurityLog(
  log: Log,
  count: (event: SecurityEvent) => void = () => undefined,
  nowMs: () => number = () => performance.now(),
): SecurityLog {
  const kinds = new Map<SecurityEvent, { tokens: number; timeMs: number; skipped: number }>();
  return {
    note({ event, ...more }) {
      count(event);
      if (CHANGES.has(event)) {
        log.info({ security: event, ...more }, "security");
        return;
      }
      const now = nowMs();
      const kind = kinds.get(event) ?? { tokens: LINES.burst, timeMs: now, skipped: 0 };
      kinds.set(event, kind);
      kind.tokens = refilled(kind.tokens, now - kind.timeMs, LINES);
      kind.timeMs = now;
      if (kind.tokens < 1) {
        kind.skipped += 1;
        return;
      }
      kind.tokens -= 1;
      const skipped = kind.skipped > 0 ? { skipped: kind.skipped } : {};
      kind.skipped = 0;
      log.warn({ security: event, ...more, ...skipped }, "security");
    },
  };
}
