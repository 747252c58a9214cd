import type { Log } from "./log.ts";

/** Longest pause after a run of failures, in milliseconds. */
const FAILURE_PAUSE_MAX_MS = 30_000;

/** A piece of background work of a service: a sender, a sweeper. */
export interface LoopOptions {
  /** Stands in the log line of a failed run. */
  readonly name: string;
  /** Pause between two runs, in milliseconds. */
  readonly intervalMs: number;
  readonly log: Log;
  /** One bounded batch. `signal` fires when the loop stops; a run should then end soon. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/** A running loop. Runs never overlap. */
export interface Loop extends AsyncDisposable {
  /** Runs as soon as possible: now, or once more right after the run that is under way. */
  poke(): void;
  /** Aborts the run that is under way, waits for its end, and runs no more. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Runs at once, then again and again with a pause between. A run that throws is logged and the pause doubles up
 * to 30 s (never below the interval), so that a database that is down is not hammered; a poke does not cut that pause.
 */
export function startLoop(options: LoopOptions): Loop {
  const loop = new BackgroundLoop(options);
  loop.poke();
  return loop;
}

class BackgroundLoop implements Loop {
  readonly #options: LoopOptions;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failures = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  poke(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#running !== undefined) {
      this.#again = true;
    } else if (this.#failures === 0) {
      this.#start();
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#running = this.#runOnce().finally(() => {
      this.#running = undefined;
      if (!this.#abort.signal.aborted) this.#plan();
    });
  }

  #plan(): void {
    const pauseMs = this.#again && this.#failures === 0 ? 0 : this.#pauseMs();
    this.#timer = setTimeout(() => this.#start(), pauseMs);
  }

  #pauseMs(): number {
    const { intervalMs } = this.#options;
    if (this.#failures === 0) return intervalMs;
    const doubled = intervalMs * 2 ** Math.min(this.#failures, 16);
    return Math.max(intervalMs, Math.min(doubled, FAILURE_PAUSE_MAX_MS));
  }

  async #runOnce(): Promise<void> {
    const { name, log, run } = this.#options;
    try {
      await run(this.#abort.signal);
      this.#failures = 0;
    } catch (error) {
      // An abort that stop() caused is no failure.
      if (this.#abort.signal.aborted) return;
      this.#failures += 1;
      log.error({ err: error, loop: name, failures: this.#failures }, "background run failed");
    }
  }
}
