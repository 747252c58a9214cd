import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  type Acknowledgement,
  AcknowledgementSchema,
  type Attention,
  AttentionKind,
  type AuditProgress,
  type AuditResponse,
  AuditResponseSchema,
  InvariantResult,
  ReportingService,
} from "#gen/reporting/v1/reporting_pb.ts";
import { mergeAudits } from "./audit-pages.ts";
import { type CliIo, type Invocation, invocationOf } from "./context.ts";
import { CommandFailure, EXIT_FAILED, UsageError } from "./errors.ts";
import { enumText, fields, printOne, style, time } from "./output.ts";
import { renderTable } from "./table.ts";

/** Most acknowledgements one call may bring. */
const ACKS_PER_CALL = 1000;
/** Keeps a call below the server's 64 KiB: a line of JSON is longer than its message. */
const ACK_BYTES_PER_CALL = 48 * 1024;
/** As long as a stream may be. */
const AUDIT_TIMEOUT_MS = 3_600_000;
/** Below this nothing is said of the progress, in milliseconds. */
const QUIET_MS = 2_000;
/** Pause between two lines of progress where they cannot be written over each other. */
const PLAIN_EVERY_MS = 5_000;

const HELP = `
Exit code 1 when one invariant is broken, with the ids that break it. Open payments are counted, not judged.
--acks names a file of JSON lines {"request_id","payment_id","status"}: answers that callers got. A10 then checks
that none was contradicted. A long file is sent in several calls, each in a snapshot of its own.

Examples:
  settle audit
  settle audit --acks acks.jsonl -o json`;

/** `settle audit`. */
export function addAudit(parent: Command, io: CliIo, result: { exitCode: number }): void {
  const command = parent.command("audit");
  command
    .description("prove from the books that every payment ended exactly once (A1 to A11)")
    .option("--acks <file>", "answers that callers got, as JSON lines")
    .addHelpText("after", HELP)
    .action(async (options: { readonly acks?: string }) => {
      const invocation = invocationOf(command, io);
      const response = await audit(invocation, options.acks);
      printOne(invocation, AuditResponseSchema, response, auditLines(invocation, response));
      if (!response.ok) result.exitCode = EXIT_FAILED;
    });
}

async function audit(invocation: Invocation, acksFile: string | undefined): Promise<AuditResponse> {
  const client = invocation.client("reporting", ReportingService);
  const call = async (acknowledgements: Acknowledgement[]): Promise<AuditResponse> => {
    const show = progressOf(invocation);
    let answer: AuditResponse | undefined;
    for await (const { event } of client.streamAudit(
      { acknowledgements },
      invocation.call(AUDIT_TIMEOUT_MS),
    )) {
      if (event.case === "progress") show(event.value);
      if (event.case === "audit") answer = event.value;
    }
    show(undefined);
    if (answer !== undefined) return answer;
    throw new CommandFailure("the audit ended without an answer", "run it again");
  };
  if (acksFile === undefined) return call([]);
  let merged: AuditResponse | undefined;
  for await (const page of readAcks(acksFile)) {
    const response = await call(page);
    merged = merged === undefined ? response : mergeAudits(merged, response);
  }
  if (merged !== undefined) return merged;
  throw new CommandFailure(`${acksFile} has no acknowledgement`, "leave --acks out to skip A10");
}

/** Writes how far an audit is to standard error, once it takes long: one line that moves, or a line now and then. */
function progressOf({ io }: Invocation): (progress: AuditProgress | undefined) => void {
  const startMs = Date.now();
  let shownMs = startMs + QUIET_MS - PLAIN_EVERY_MS;
  let moving = false;
  return (progress) => {
    const now = Date.now();
    if (progress === undefined) {
      if (moving) io.err("\r\u001b[K");
      return;
    }
    if (now - startMs < QUIET_MS || (!io.terminal && now - shownMs < PLAIN_EVERY_MS)) return;
    shownMs = now;
    const { checkedPayments, totalPayments } = progress;
    const text = `checked ${checkedPayments} of ${totalPayments} payments`;
    moving = io.terminal;
    io.err(io.terminal ? `\r\u001b[K${text}` : `${text}\n`);
  };
}

async function* readAcks(file: string): AsyncGenerator<Acknowledgement[]> {
  const lines = createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  let page: Acknowledgement[] = [];
  let number = 0;
  let bytes = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (line.trim() === "") continue;
      const ack = readAck(line, `${file}:${number}`);
      bytes += Buffer.byteLength(line);
      if (page.length === ACKS_PER_CALL || bytes > ACK_BYTES_PER_CALL) {
        yield page;
        page = [];
        bytes = Buffer.byteLength(line);
      }
      page.push(ack);
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    throw new UsageError(`no such file: ${file}`, "give the path of a file with JSON lines");
  }
  if (page.length > 0) yield page;
}

/** Reads one line; the fields are named as in proto, in snake or camel case. */
export function readAck(line: string, place: string): Acknowledgement {
  const next = 'each line must be {"request_id":"…","payment_id":"…","status":"…"}';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new UsageError(`${place}: not JSON`, next);
  }
  const entries = new Map(Object.entries(typeof value === "object" && value !== null ? value : {}));
  const text = (snake: string, camel: string): string => {
    const found: unknown = entries.get(snake) ?? entries.get(camel) ?? "";
    if (typeof found !== "string") throw new UsageError(`${place}: ${snake} is not a text`, next);
    return found;
  };
  const ack = {
    requestId: text("request_id", "requestId"),
    paymentId: text("payment_id", "paymentId"),
    status: text("status", "status"),
  };
  if (ack.paymentId === "") throw new UsageError(`${place}: payment_id is missing`, next);
  return create(AcknowledgementSchema, ack);
}

const RESULTS: ReadonlyMap<InvariantResult, readonly ["good" | "bad" | "dim", string]> = new Map([
  [InvariantResult.OK, ["good", "ok"] as const],
  [InvariantResult.BROKEN, ["bad", "BROKEN"] as const],
  [InvariantResult.NOT_CHECKED, ["dim", "not checked"] as const],
]);

/** The table of invariants, every violation under it, and the counts. */
function auditLines(invocation: Invocation, response: AuditResponse): readonly string[] {
  const table = renderTable(
    [
      { title: "ID", cell: ({ id }) => id },
      { title: "RESULT", cell: ({ result }) => RESULTS.get(result)?.[1] ?? String(result) },
      { title: "CHECKED", cell: ({ checked }) => String(checked), right: true },
      { title: "BROKEN", cell: ({ violationCount }) => String(violationCount), right: true },
      { title: "WHAT MUST HOLD", cell: ({ title }) => title },
    ],
    response.invariants,
  );
  const coloured = table.map((line, index) => {
    const look = RESULTS.get(response.invariants[index - 1]?.result ?? InvariantResult.UNSPECIFIED);
    return look === undefined
      ? line
      : line.replace(look[1], (text) => style(invocation, look[0], text));
  });
  const violations = response.invariants.flatMap(({ id, violations: found }) =>
    found.map((violation) => `${id}  ${violation.id}: ${violation.detail}`),
  );
  return [
    ...coloured,
    ...(violations.length > 0 ? ["", ...violations] : []),
    ...attentionLines(response.attention),
    "",
    ...fields([
      ["final payments", String(response.finalPayments)],
      ["open payments", String(response.openPayments)],
      ["transfers", String(response.transfers)],
      ["snapshot", time(response.snapshotTime)],
    ]),
    response.ok
      ? style(invocation, "good", "the books are clean")
      : style(invocation, "bad", "the books are NOT clean"),
  ];
}

/** Most items that are named per kind; `-o json` has 20. */
const SHOWN_ITEMS_MAX = 3;

/** What waits, with the oldest of each kind under it. */
function attentionLines(attention: readonly Attention[]): readonly string[] {
  if (attention.length === 0) return [];
  const lines = attention.flatMap(({ kind, count, oldestAge, oldest }) => {
    const age = oldestAge ? `, the oldest for ${ageText(Number(oldestAge.seconds))}` : "";
    const name = enumText(AttentionKind, kind).toLowerCase().replaceAll("_", " ");
    const named = oldest.slice(0, SHOWN_ITEMS_MAX).map(({ id, detail }) => `  ${id}: ${detail}`);
    return [`${count} ${name}${age}`, ...named];
  });
  return ["", "Look at", ...lines.map((line) => `  ${line}`)];
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} days`;
}
