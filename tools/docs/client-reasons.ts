import type { ReasonInfo, ReasonTable } from "#kit/pure/reasons.ts";

/** client/reasons.ts, as it must be for these tables: what a caller is to know of every reason, without our services. */
export function clientReasons(tables: ReadonlyMap<string, ReasonTable>): string {
  const all = new Map([...tables.values()].flatMap((table) => Object.entries(table)));
  const rows = [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, info]) => row(name, info));
  return `${HEAD}${rows.join("\n")}\n} as const;\n${TAIL}`;
}

function row(name: string, { status, retryable }: ReasonInfo): string {
  return `  ${name}: { status: "${status}", retryable: ${retryable} },`;
}

const HEAD = `// Written by \`npm run docs\` from the services' reason tables; a test compares.

/** Every reason a call can be refused for: its status, and whether the same request can succeed later as it is. */
export const REASONS = {
`;

const TAIL = `
/** A reason this version of the client knows; a newer server may answer others. */
export type Reason = keyof typeof REASONS;
`;
