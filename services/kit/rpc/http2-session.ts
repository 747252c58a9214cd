import http2 from "node:http2";
import type { RpcLimits } from "./limits.ts";
import { refilled } from "./token-bucket.ts";

/** Frames of control are counted over this time, in milliseconds. */
const CONTROL_WINDOW_MS = 10_000;
/** Clients measure the connection with a ping for each answer or two. */
const CONTROL_FRAMES_PER_STREAM = 2;

/** Calls of one turn, and cancelled calls, after which the next one may be cancelled already: rapid reset. */
const CALLS_TRUSTED = 16;

interface Conduct {
  calls: number;
  cancelled: number;
  /** Resets that are still allowed: the same count that Node keeps, which does not tell why it ended a connection. */
  resetsLeft: number;
  resetsMs: number;
}

const conducts = new WeakMap<http2.Http2Session, Conduct>();

/** Whether the next call of a peer is worth a second look: it sends them in swarms, or cancelled many before. */
export function mayBeCancelled(session: http2.Http2Session | undefined): boolean {
  const conduct = session && conducts.get(session);
  if (conduct === undefined) return false;
  return conduct.calls > CALLS_TRUSTED || conduct.cancelled > CALLS_TRUSTED;
}

function watchConduct(
  session: http2.ServerHttp2Session,
  { resetsBurst, resetsPerSecond }: RpcLimits,
  onFlood: () => void,
): void {
  const conduct: Conduct = {
    calls: 0,
    cancelled: 0,
    resetsLeft: resetsBurst,
    resetsMs: performance.now(),
  };
  conducts.set(session, conduct);
  const reset = (): void => {
    const nowMs = performance.now();
    const size = { perSecond: resetsPerSecond, burst: resetsBurst };
    conduct.resetsLeft = refilled(conduct.resetsLeft, nowMs - conduct.resetsMs, size) - 1;
    conduct.resetsMs = nowMs;
    if (conduct.resetsLeft <= 0) onFlood();
  };
  session.on("stream", (stream) => {
    if (conduct.calls === 0) setImmediate(() => (conduct.calls = 0));
    conduct.calls += 1;
    stream.once("close", () => {
      if (stream.rstCode === http2.constants.NGHTTP2_CANCEL) conduct.cancelled += 1;
      if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) reset();
    });
  });
}

/**
 * Closes a connection that nobody uses, and one whose peer does not answer pings: it is gone without a word. `onAbuse`
 * hears of a peer that floods us with resets or frames.
 */
export function tend(
  session: http2.ServerHttp2Session,
  limits: RpcLimits,
  onAbuse: () => void,
): void {
  let streams = 0;
  let used = false;
  let usedMs = Date.now();
  const spend = calm(session, limits, onAbuse);
  watchConduct(session, limits, onAbuse);
  session.on("ping", () => spend(1));
  session.on("remoteSettings", () => spend(1));
  session.on("stream", (stream) => {
    spend(-CONTROL_FRAMES_PER_STREAM);
    used = true;
    streams += 1;
    stream.once("close", () => {
      streams -= 1;
      usedMs = Date.now();
    });
  });
  const idleMs = () => (used ? limits.idleMs : Math.min(limits.unusedMs, limits.idleMs));
  let answered = true;
  const timer = setInterval(() => {
    // A session that was destroyed closes a little later; a ping in between would throw where nobody catches.
    if (session.destroyed) clearInterval(timer);
    else if (!answered) session.destroy();
    else if (streams === 0 && Date.now() - usedMs >= idleMs()) session.close();
    else {
      answered = false;
      session.ping(() => {
        answered = true;
      });
    }
  }, limits.pingMs).unref();
  session.once("close", () => clearInterval(timer));
}

/** Ends a connection whose peer sends frames that cost us answers and ask for nothing. */
function calm(
  session: http2.ServerHttp2Session,
  limits: RpcLimits,
  onAbuse: () => void,
): (frames: number) => void {
  let count = 0;
  let sinceMs = Date.now();
  return (frames) => {
    if (Date.now() - sinceMs >= CONTROL_WINDOW_MS) {
      count = 0;
      sinceMs = Date.now();
    }
    count += frames;
    if (count <= limits.controlFramesMax || session.destroyed) return;
    onAbuse();
    // Without an error Node would tell the peer that all is well.
    session.destroy(new Error("too many frames"), http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
}
