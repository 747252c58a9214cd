/** Turns signals into one orderly stop, and a second signal into a quick end. */
export interface StopSignal {
  /** Settles with the first signal's name. */
  readonly stopped: Promise<NodeJS.Signals>;
  isStopped(): boolean;
  /** What a second signal does before the process ends. */
  onKill(kill: () => void): void;
}

/** npm, a shell and the terminal each pass one Ctrl-C on: signals this close together are one. */
const SAME_SIGNAL_MS = 500;

/** How often the launcher is looked after, in milliseconds. */
const ORPHAN_CHECK_MS = 500;

/**
 * Installs the handlers; for the main program only. A launcher that is killed without a word counts as a signal: whoever
 * ends `npm start` by its pid means all of it.
 */
export function listenForStop(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const kills: (() => void)[] = [];
  let firstMs: number | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    if (firstMs === undefined) {
      firstMs = Date.now();
      resolve(signal);
    } else if (Date.now() - firstMs > SAME_SIGNAL_MS) {
      for (const kill of kills) kill();
      process.exit(130);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, handle);
  const launcher = process.env["SETTLE_LAUNCHER_PID"];
  if (launcher !== undefined && Number(launcher) === process.ppid) {
    const timer = setInterval(() => {
      if (Number(launcher) === process.ppid) return;
      clearInterval(timer);
      handle("SIGTERM");
    }, ORPHAN_CHECK_MS);
    timer.unref();
  }
  return {
    stopped: promise,
    isStopped: () => firstMs !== undefined,
    onKill: (kill) => kills.push(kill),
  };
}
