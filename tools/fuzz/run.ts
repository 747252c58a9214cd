import { Code } from "@connectrpc/connect";
import { type Case, makeCase, type Target } from "./cases.ts";
import type { KnownIds } from "./messages.ts";
import { judge } from "./oracle.ts";
import { createRandom } from "./random.ts";
import { createWire, type Outcome } from "./wire.ts";

/** What to send. */
export interface FuzzOptions {
  readonly seed: number;
  /** First and one past the last index. */
  readonly from: number;
  readonly to: number;
  readonly targets: readonly Target[];
  readonly known: KnownIds;
  /** Requests at once. */
  readonly concurrency: number;
  /** Told now and then how many are done. */
  readonly onProgress?: (done: number) => void;
  /** Every request with its outcome. */
  readonly onOutcome?: (request: Case, outcome: Outcome) => void;
}

/** An answer no caller should get. */
export interface Finding {
  readonly problem: string;
  readonly request: Case;
}

/** What came of it. */
export interface FuzzReport {
  readonly sent: number;
  /** How often each code, or each HTTP status without one, came back. */
  readonly codes: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
}

const PROGRESS_EVERY = 1_000;

/** Sends the requests of the range and judges every answer. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  using wire = createWire();
  const codes = new Map<string, number>();
  const findings: Finding[] = [];
  let next = options.from;
  const worker = async (): Promise<void> => {
    while (next < options.to) {
      const index = next++;
      const random = createRandom(options.seed, index);
      const request = makeCase(random, index, options.targets, options.known);
      const outcome = await wire.send(request);
      const name = nameOf(outcome);
      codes.set(name, (codes.get(name) ?? 0) + 1);
      const problem = judge(request, outcome);
      if (problem !== undefined) findings.push({ problem, request });
      options.onOutcome?.(request, outcome);
      if ((index + 1) % PROGRESS_EVERY === 0) options.onProgress?.(index + 1);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return { sent: options.to - options.from, codes, findings };
}

function nameOf({ broken, code, status }: Outcome): string {
  if (broken !== undefined) return "closed";
  if (code !== undefined) return Code[code];
  return status < 400 ? "OK" : `HTTP ${status}`;
}

/** A finding as a person can send it again. */
export function describeFinding({ problem, request }: Finding): string {
  const { index, method, protocol, http, mutation, verb, path, headers, body } = request;
  const rpc = `${method.parent.typeName}/${method.name}`;
  const bytes = Buffer.from(body);
  const text =
    protocol === "connect-json"
      ? bytes.toString().slice(0, 600)
      : bytes.toString("hex").slice(0, 600);
  return `#${index} ${rpc} ${protocol} h${http} ${mutation}\n  ${problem}\n  ${verb} ${path.slice(0, 100)} ${JSON.stringify(headers).slice(0, 300)}\n  ${text}`;
}
