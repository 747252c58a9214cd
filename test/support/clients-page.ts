/** What became of one kind of call of one service by one client. */
export interface Outcome {
  readonly client: string;
  readonly service: string;
  readonly kind: "unary" | "server stream" | "error with details";
  /** Undefined where the client has no such kind of call. */
  readonly passed: boolean | undefined;
  readonly seen: unknown;
}

const HEAD = `# Clients

What every client does at one address, the edge: each was called against each service by a test, and this table is what the
test saw. A unary call must be answered; an error must arrive with its status, its reason and, where the client can show
them, the field that was wrong; a stream must bring the payment and end.

<!-- Written by \`vitest run test/e2e/protocols.test.ts -u\`; the test compares. -->
`;

const FOOT = `
"yes" was seen by the test; "–" is a kind of call the client does not have: the Connect protocol has GET for unary calls only.
grpcurl, \`buf curl\` and k6 know the contract by reflection only; curl needs nothing but JSON. The routes behind REST are in
[the API reference](api/README.md), programs that call in TypeScript, Go, Python and by curl in [examples](../examples/README.md).
`;

/** docs/clients.md, as the outcomes say. */
export function clientsPage(outcomes: readonly Outcome[]): string {
  const clients = [...new Set(outcomes.map(({ client }) => client))];
  const kinds = [...new Set(outcomes.map(({ service, kind }) => `${service} | ${kind}`))].sort();
  const cell = (client: string, kind: string): string => {
    const outcome = outcomes.find(
      (one) => one.client === client && `${one.service} | ${one.kind}` === kind,
    );
    return outcome?.passed === undefined ? "–" : outcome.passed ? "yes" : "NO";
  };
  return [
    HEAD,
    `| service | call | ${clients.join(" | ")} |`,
    `|---|---|${"---|".repeat(clients.length)}`,
    ...kinds.map(
      (kind) => `| ${kind} | ${clients.map((client) => cell(client, kind)).join(" | ")} |`,
    ),
    FOOT,
  ].join("\n");
}
