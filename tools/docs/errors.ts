import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { commonReasons, type ReasonInfo, type ReasonTable } from "#kit/pure/reasons.ts";

const SERVICES = path.resolve(import.meta.dirname, "../../services");

/** The reasons of every service, and the common ones under `every service`. */
export async function reasonTables(): Promise<ReadonlyMap<string, ReasonTable>> {
  const tables = new Map<string, ReasonTable>([["every service", commonReasons]]);
  for (const service of readdirSync(SERVICES).sort()) {
    const file = path.join(SERVICES, service, "reasons.ts");
    const module = await importIfPresent(file);
    const table = Object.entries(module).find(([name]) => name.endsWith("Reasons"))?.[1];
    if (isReasonTable(table)) tables.set(service, table);
  }
  return tables;
}

/** docs/errors.md, as it must be for these tables. */
export function errorsPage(tables: ReadonlyMap<string, ReasonTable>): string {
  return [HEAD, ...[...tables].map(([owner, table]) => section(owner, table))].join("\n");
}

const HEAD = `# Errors

Every refusal carries one stable \`reason\`. It is the same text in the gRPC status (\`google.rpc.ErrorInfo\`, domain
\`settle\`), in \`Payment.failure\`, in the failure type of an activity, in the CLI and in the logs. Match on the reason,
never on the message. A field that is not valid is named in \`google.rpc.BadRequest\`; when to come back is in
\`google.rpc.RetryInfo\`.

"Again" says whether the same request can succeed later without any change. INTERNAL and UNKNOWN are bugs: nothing a
caller sends leads to them.

<!-- Written by \`npm run docs\` from kit/pure/reasons.ts and every service's reasons.ts; a test compares. -->
`;

function section(owner: string, table: ReasonTable): string {
  const rows = Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `## ${owner}`,
    "",
    "| reason | status | again | what happened, what to do |",
    "|---|---|---|---|",
    ...rows.map(([reason, info]) => row(reason, info)),
    "",
  ].join("\n");
}

function row(reason: string, { status, retryable, message }: ReasonInfo): string {
  return `| \`${reason}\` | ${status} | ${retryable ? "yes" : "no"} | ${message.replaceAll("|", "\\|")} |`;
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
