import { Code } from "@connectrpc/connect";

/** Upper bounds of the duration buckets, in seconds. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Rate, errors and duration of the RPCs of one port, in the text format that Prometheus reads. */
export interface Metrics {
  /** An RPC began. Names come from the contract only, so that callers cannot make series. */
  began(rpc: string): void;
  /** It ended; an undefined code is OK. Duration in milliseconds. */
  ended(rpc: string, code: Code | undefined, durationMs: number): void;
  /** A call was turned away by a limit before it had an effect. `limit`: rate, in_flight or overload. */
  shed(limit: string): void;
  /** Somebody was refused, or changed what others may do. `event`: a `SecurityEvent`. */
  security(event: string): void;
  /** Shows a number that somebody else keeps. */
  gauge(name: string, help: string, read: () => number): void;
  /** Shows several, told apart by one label. */
  gauges(name: string, help: string, label: string, read: () => ReadonlyMap<string, number>): void;
  /** Counts from zero, told apart by one label; the answer adds one. Label values come from the code, never from a caller. */
  counter(name: string, help: string, label: string): (value: string) => void;
  /** The present numbers as text. */
  text(): string;
}

/** Content type of `Metrics.text`. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

interface Series {
  running: number;
  sumS: number;
  readonly codes: Map<string, number>;
  /** Calls per bucket, not added up; the last is what is longer than all bounds. */
  readonly counts: number[];
}

/** Starts at zero. */
export function createMetrics(): Metrics {
  const all = new Map<string, Series>();
  const shed = new Map<string, number>();
  const security = new Map<string, number>();
  const shown: (() => string[])[] = [];
  const of = (rpc: string): Series => {
    let series = all.get(rpc);
    if (series === undefined) {
      series = { running: 0, sumS: 0, codes: new Map(), counts: BUCKETS_S.map(() => 0).concat(0) };
      all.set(rpc, series);
    }
    return series;
  };
  return {
    began(rpc) {
      of(rpc).running += 1;
    },
    ended(rpc, code, durationMs) {
      const series = of(rpc);
      const name = code === undefined ? "OK" : Code[code];
      const seconds = durationMs / 1_000;
      const bucket = BUCKETS_S.findIndex((bound) => seconds <= bound);
      const at = bucket < 0 ? BUCKETS_S.length : bucket;
      series.running -= 1;
      series.sumS += seconds;
      series.codes.set(name, (series.codes.get(name) ?? 0) + 1);
      series.counts[at] = (series.counts[at] ?? 0) + 1;
    },
    shed(limit) {
      shed.set(limit, (shed.get(limit) ?? 0) + 1);
    },
    security(event) {
      security.set(event, (security.get(event) ?? 0) + 1);
    },
    gauge(name, help, read) {
      shown.push(() => [...head(name, "gauge", help), `${name} ${read()}`]);
    },
    gauges(name, help, label, read) {
      shown.push(() => [...head(name, "gauge", help), ...labelled(name, label, read())]);
    },
    counter(name, help, label) {
      const counts = new Map<string, number>();
      shown.push(() => [...head(name, "counter", help), ...labelled(name, label, counts)]);
      return (value) => void counts.set(value, (counts.get(value) ?? 0) + 1);
    },
    text() {
      const own = shown.flatMap((lines) => lines());
      const lines = [...rpcLines(all), ...shedLines(shed), ...securityLines(security)];
      return [...lines, ...own, ...processLines(), ""].join("\n");
    },
  };
}

function rpcLines(all: ReadonlyMap<string, Series>): string[] {
  const sorted = [...all].sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    ...head("settle_rpc_requests_total", "counter", "RPCs that ended, by code."),
    ...sorted.flatMap(([rpc, { codes }]) =>
      [...codes].map(([code, n]) => `settle_rpc_requests_total{rpc="${rpc}",code="${code}"} ${n}`),
    ),
    ...head("settle_rpc_running", "gauge", "RPCs that run now."),
    ...sorted.map(([rpc, { running }]) => `settle_rpc_running{rpc="${rpc}"} ${running}`),
    ...head("settle_rpc_duration_seconds", "histogram", "How long RPCs took."),
    ...sorted.flatMap(([rpc, series]) => histogram("settle_rpc_duration_seconds", rpc, series)),
  ];
}

function histogram(name: string, rpc: string, { counts, sumS }: Series): string[] {
  let total = 0;
  const buckets = counts.map((count, at) => {
    total += count;
    return `${name}_bucket{rpc="${rpc}",le="${BUCKETS_S[at] ?? "+Inf"}"} ${total}`;
  });
  return [...buckets, `${name}_sum{rpc="${rpc}"} ${sumS}`, `${name}_count{rpc="${rpc}"} ${total}`];
}

function shedLines(shed: ReadonlyMap<string, number>): string[] {
  return [
    ...head("settle_rpc_shed_total", "counter", "RPCs turned away before any effect, by limit."),
    ...[...shed].map(([limit, n]) => `settle_rpc_shed_total{limit="${limit}"} ${n}`),
  ];
}

function securityLines(events: ReadonlyMap<string, number>): string[] {
  return [
    ...head("settle_security_events_total", "counter", "What the security log heard of, by event."),
    ...[...events].map(([event, n]) => `settle_security_events_total{event="${event}"} ${n}`),
  ];
}

function labelled(name: string, label: string, numbers: ReadonlyMap<string, number>): string[] {
  return [...numbers].map(([value, number]) => `${name}{${label}="${value}"} ${number}`);
}

function processLines(): string[] {
  const { user, system } = process.cpuUsage();
  return [
    ...head("process_cpu_seconds_total", "counter", "CPU time of the process."),
    `process_cpu_seconds_total ${(user + system) / 1_000_000}`,
    ...head("process_resident_memory_bytes", "gauge", "Resident memory of the process."),
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    ...head("process_start_time_seconds", "gauge", "When the process began, since 1970."),
    `process_start_time_seconds ${performance.timeOrigin / 1_000}`,
  ];
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
