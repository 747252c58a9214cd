/** Where progress is written; standard output, or a list in a test. */
export interface Screen {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/** One thing that takes time. */
export interface ProgressTask {
  /** How far it is; bytes of a download, with the total where it is known. */
  update(doneBytes: number, totalBytes?: number): void;
  /** What it does now, in a few words. */
  note(text: string): void;
  /** Ends it; the line is printed when the task was slow, or always with `always`. */
  end(line: string, options?: { readonly always?: boolean }): void;
}

/** Shows what goes on: one moving line on a terminal, plain lines elsewhere; nothing for what takes less than 2 s. */
export interface Progress {
  line(text: string): void;
  task(label: string): ProgressTask;
}

/** Below this nothing is shown. */
const QUIET_MS = 2_000;
/** Time between two plain lines about one task. */
const PLAIN_EVERY_MS = 5_000;
const REDRAW_MS = 200;

interface TaskState {
  readonly label: string;
  readonly startMs: number;
  text: string;
  fraction: number | undefined;
  shownMs: number;
}

export function createProgress(screen: Screen = standardOutput()): Progress {
  const tasks = new Set<TaskState>();
  let timer: NodeJS.Timeout | undefined;
  const clear = (): void => {
    if (screen.isTTY) screen.write("\r\x1b[K");
  };
  const line = (text: string): void => {
    clear();
    screen.write(`${text}\n`);
  };
  const tick = (): void => {
    const now = Date.now();
    const slow = [...tasks].filter((task) => now - task.startMs >= QUIET_MS);
    if (slow.length === 0) return;
    if (screen.isTTY) screen.write(`\r\x1b[K${statusLine(slow, screen.columns)}`);
    else for (const task of slow) showPlain(task, now, line);
  };
  return {
    line,
    task(label) {
      const state: TaskState = {
        label,
        startMs: Date.now(),
        text: "",
        fraction: undefined,
        shownMs: 0,
      };
      tasks.add(state);
      timer ??= setInterval(tick, REDRAW_MS).unref();
      return {
        update(done, total) {
          state.text = total
            ? `${megabytes(done)} of ${megabytes(total)} MB`
            : `${megabytes(done)} MB`;
          state.fraction = total ? Math.min(1, done / total) : undefined;
        },
        note(text) {
          state.text = text;
          state.fraction = undefined;
        },
        end(text, options = {}) {
          if (!tasks.delete(state)) return;
          if (tasks.size === 0) {
            clearInterval(timer);
            timer = undefined;
            clear();
          }
          const tookMs = Date.now() - state.startMs;
          if (options.always || tookMs >= QUIET_MS) line(`${text} (${seconds(tookMs)} s)`);
        },
      };
    },
  };
}

function showPlain(task: TaskState, now: number, line: (text: string) => void): void {
  if (now - task.shownMs < PLAIN_EVERY_MS) return;
  task.shownMs = now;
  line(`  ${task.label}: ${task.text || "still going"} (${seconds(now - task.startMs)} s)`);
}

function statusLine(tasks: readonly TaskState[], columns: number): string {
  const parts = tasks.map((task) => {
    const bar = task.fraction === undefined ? "" : ` ${barOf(task.fraction)}`;
    return `${task.label}${bar} ${task.text}`.trim();
  });
  return parts.join("  ·  ").slice(0, Math.max(20, columns - 1));
}

const BAR_WIDTH = 16;

function barOf(fraction: number): string {
  const full = Math.round(fraction * BAR_WIDTH);
  return `[${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}]`;
}

/** Bytes as megabytes with one digit. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function standardOutput(): Screen {
  const out = process.stdout;
  return {
    isTTY: out.isTTY === true && !process.env["CI"],
    get columns() {
      return out.columns ?? 80;
    },
    write: (text) => {
      out.write(text);
    },
  };
}
