import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { DescFile, DescMethod } from "@bufbuild/protobuf";
import { commonReasons, type ReasonInfo, type ReasonTable } from "#kit/pure/reasons.ts";
import { reasonsOf } from "./api/answers.ts";

const SERVICES = path.resolve(import.meta.dirname, "../../services");

/** The reasons of every service, and the common ones under `every service`. */
export async function reasonTables(): Promise<ReadonlyMap<string, ReasonTable>> {
  const tables = new Map<string, ReasonTable>([["every service", commonReasons]]);
  for (const service of readdirSync(SERVICES).sort()) {
    const file = path.join(SERVICES, service, "reasons.ts");
    const module = await importIfPresent(file);
    const table = Object.entries(module).find(([name]) => name.endsWith("Reasons"))?.[1];
    // The edge has none of its own.
    if (isReasonTable(table) && Object.keys(table).length > 0) tables.set(service, table);
  }
  return tables;
}

/** docs/errors.md, as it must be for these tables and this contract. */
export function errorsPage(
  tables: ReadonlyMap<string, ReasonTable>,
  contract: readonly DescFile[],
): string {
  const methods = contract
    .flatMap((file) => file.services)
    .flatMap((service) => service.methods)
    .map((method): NamingMethod => ({ method, reasons: reasonsOf(method, tables) }));
  return [HEAD, ...[...tables].map(([owner, table]) => section(owner, table, methods))].join("\n");
}

interface NamingMethod {
  readonly method: DescMethod;
  readonly reasons: readonly string[];
}

const HEAD = `# Errors

Every refusal carries one stable \`reason\`. It is the same text in the gRPC status (\`google.rpc.ErrorInfo\`, domain
\`settle\`), in \`Payment.failure\`, in the failure type of an activity, in the CLI and in the logs. Match on the reason,
never on the message. A field that is not valid is named in \`google.rpc.BadRequest\`; when to come back is in
\`google.rpc.RetryInfo\`.

"Again" says whether the same request can succeed later without any change. INTERNAL and UNKNOWN are bugs: nothing a
caller sends leads to them. "Named by" are the RPCs whose contract promises the reason; a reason without one is found after
acceptance and kept as state, or comes from a step that many share. Reasons of every service are those of every RPC.

<!-- Written by \`npm run docs\` from kit/pure/reasons.ts and every service's reasons.ts; a test compares. -->
`;

function section(owner: string, table: ReasonTable, methods: readonly NamingMethod[]): string {
  const own = methods.filter(({ method }) => packageOf(method) === owner);
  const named = (reason: string): string =>
    own
      .filter(({ reasons }) => reasons.includes(reason))
      .map(({ method }) => method.name)
      .join(", ");
  const rows = Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `## ${owner}`,
    "",
    "| reason | status | again | what happened, what to do | named by |",
    "|---|---|---|---|---|",
    ...rows.map(([reason, info]) => row(reason, info, named(reason))),
    "",
  ].join("\n");
}

function row(reason: string, { status, retryable, message }: ReasonInfo, named: string): string {
  return `| \`${reason}\` | ${status} | ${retryable ? "yes" : "no"} | ${message.replaceAll("|", "\\|")} | ${named} |`;
}

function packageOf(method: DescMethod): string {
  return method.parent.file.proto.package.split(".")[0] ?? "";
}

async function importIfPresent(file: string): Promise<Readonly<Record<string, unknown>>> {
  const folder = path.dirname(file);
  const present = readdirSync(folder).includes(path.basename(file));
  return present ? await import(pathToFileURL(file).href) : {};
}

function isReasonTable(value: unknown): value is ReasonTable {
  return typeof value === "object" && value !== null && Object.values(value).every(isReasonInfo);
}

function isReasonInfo(value: unknown): value is ReasonInfo {
  return typeof value === "object" && value !== null && "status" in value && "message" in value;
}
