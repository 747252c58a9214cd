import { VERSION } from "#kit/version.ts";

const LINKS = [
  ["/openapi.yaml", "the REST paths as OpenAPI 3.1"],
  ["/version", "name, version and API version as JSON"],
  ["/healthz", "whether the process runs"],
  ["/readyz", "whether everything behind it answers"],
  ["/metrics", "counters for Prometheus"],
] as const;

function calls(host: string): readonly (readonly [string, string])[] {
  return [
    ["what there is to call, where grpcurl is installed", `grpcurl -plaintext ${host} list`],
    [
      "a payment",
      `curl http://${host}/v1/payments -H 'content-type: application/json' -d '{"account_id": "1", ` +
        `"amount": {"currency_code": "USD", "minor_units": "25"}, "wait_until": "WAIT_UNTIL_COMPLETED"}'`,
    ],
    ["the newest payments", `curl 'http://${host}/v1/payments?page_size=5'`],
    ["the proof", `curl http://${host}/v1/audit -H 'content-type: application/json' -d '{}'`],
  ];
}

/** What a person reads who asks the edge for nothing in particular, in a terminal. */
export function welcomeText(host: string): string {
  return [
    `Settle ${VERSION}: payments by gRPC, gRPC-Web, Connect and REST on this one address.`,
    "",
    ...LINKS.map(([path, what]) => `${path.padEnd(14)} ${what}`),
    "",
    ...calls(host).flatMap(([what, line]) => [`# ${what}`, line]),
    "",
  ].join("\n");
}

/** The same in a browser. */
export function welcomePage(host: string): string {
  const links = LINKS.map(([path, what]) => `<li><a href="${path}">${path}</a> ${what}</li>`);
  const lines = calls(host).map(
    ([what, line]) => `<p>${what}</p><pre><code>${escaped(line)}</code></pre>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Settle ${VERSION}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
  pre { padding: .75rem; border: 1px solid #8886; border-radius: .25rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  li, p { margin: .25rem 0; }
</style>
<h1>Settle ${VERSION}</h1>
<p>Every accepted payment ends exactly once, settled or fully undone. gRPC, gRPC-Web, Connect and REST on this one address.</p>
<h2>Look</h2>
<ul>
${links.join("\n")}
</ul>
<h2>Call</h2>
<p>Where keys are asked for, add <code>-H "authorization: Bearer $SETTLE_API_KEY"</code>.</p>
${lines.join("\n")}
</html>
`;
}

/** The host is what the caller sent. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
