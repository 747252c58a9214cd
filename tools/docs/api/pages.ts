import type { DescEnum, DescField, DescFile, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { DEFAULT_PORTS } from "#kit/config.ts";
import type { ReasonTable } from "#kit/pure/reasons.ts";
import { accessOf, reasonsOf, repeatWords, rolesOf } from "./answers.ts";
import { bindingsOf } from "./bindings.ts";
import { exampleOf } from "./example.ts";
import { commentOf } from "./image.ts";
import { messageRuleWords, ruleWords } from "./rules.ts";

/** What proves the commands on our pages; docs tests want it said before every shell block. */
const PROOF = "proven by test/e2e/api-examples.test.ts";
const EDGE_PORT = 8080;
const MARK = "<!-- Written by `npm run docs` from proto/; a test compares. -->";

/** A page of docs/api and its text. */
export interface Page {
  readonly name: string;
  readonly text: string;
}

/** docs/api: a page per package, and the index. */
export function apiPages(
  files: readonly DescFile[],
  tables: ReadonlyMap<string, ReasonTable>,
): Page[] {
  const packages = [...Map.groupBy(files, ({ proto }) => proto.package)].sort();
  return [
    { name: "README.md", text: indexPage(packages) },
    ...packages.map(([name, inside]) => ({
      name: `${name}.md`,
      text: packagePage(name, inside, tables),
    })),
  ];
}

function indexPage(packages: readonly (readonly [string, readonly DescFile[]])[]): string {
  return [
    "# API reference",
    "",
    MARK,
    "",
    "Every RPC is served as gRPC, gRPC-Web and Connect (JSON or binary), and by the HTTP routes below. The same HTTP face for",
    "generators of clients is [openapi.yaml](openapi.yaml); what a call can be refused for is in [errors.md](../errors.md).",
    "",
    "| RPC | route | what it does |",
    "|---|---|---|",
    ...packages.flatMap(([name, files]) =>
      methodsOf(files).map((method) => indexRow(name, method)),
    ),
    "",
    `Packages: ${packages.map(([name]) => `[${name}](${name}.md)`).join(" · ")}`,
    "",
  ].join("\n");
}

function indexRow(page: string, method: DescMethod): string {
  const [route] = routesOf(method);
  const link = `[${method.parent.name}.${method.name}](${page}.md#${anchor(rpcTitle(method))})`;
  return `| ${link} | ${route ? `\`${route}\`` : ""} | ${cell(commentOf(method))} |`;
}

function packagePage(
  name: string,
  files: readonly DescFile[],
  tables: ReadonlyMap<string, ReasonTable>,
): string {
  const messages = files.flatMap((file) => file.messages).flatMap(withNested);
  const enums = [
    ...files.flatMap((file) => file.enums),
    ...messages.flatMap((message) => message.nestedEnums),
  ];
  const services = files.flatMap((file) => file.services);
  return [
    `# ${name}`,
    "",
    MARK,
    "",
    ...services.flatMap((service) => [
      `## ${service.name}`,
      "",
      commentOf(service),
      "",
      ...service.methods.flatMap((method) => rpcSection(method, tables)),
    ]),
    ...(messages.length > 0 ? ["## Messages", ""] : []),
    ...messages.flatMap((message) => messageSection(name, message)),
    ...(enums.length > 0 ? ["## Enums", ""] : []),
    ...enums.flatMap(enumSection),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");
}

function rpcSection(method: DescMethod, tables: ReadonlyMap<string, ReasonTable>): string[] {
  const { object } = accessOf(method);
  const page = method.parent.file.proto.package;
  const stream = method.methodKind === "server_streaming" ? "stream of " : "";
  const reasons = reasonsOf(method, tables).map((reason) => `\`${reason}\``);
  return [
    `### ${rpcTitle(method)}`,
    "",
    commentOf(method),
    "",
    "| | |",
    "|---|---|",
    `| request | ${typeLink(page, method.input)} |`,
    `| answer | ${stream}${typeLink(page, method.output)} |`,
    `| who may call | ${rolesOf(method).join(", ")} |`,
    ...(object ? [`| checked against | the owner of \`${object}\` |`] : []),
    `| a repeat | ${repeatWords(method)} |`,
    ...routesOf(method).map((route) => `| route | \`${route}\` |`),
    ...(reasons.length > 0 ? [`| refused with | ${reasons.join(" ")} |`] : []),
    "",
    ...exampleBlock(method),
  ];
}

function exampleBlock(method: DescMethod): string[] {
  const rpc = `${method.parent.typeName}/${method.name}`;
  const body = JSON.stringify(exampleOf(method.input));
  const address = `127.0.0.1:${portOf(method)}`;
  const streams = method.methodKind !== "unary";
  return [
    `<!-- ${PROOF} -->`,
    "```sh",
    `grpcurl -plaintext -d '${body}' ${address} ${rpc}`,
    // A stream of the Connect protocol is framed; curl would need bytes and not text.
    ...(streams ? [] : [`curl --json '${body}' http://${address}/${rpc}`]),
    "```",
    "",
  ];
}

/** The default port of the service that serves the RPC; what has no port of its own is asked at the edge. */
function portOf(method: DescMethod): number {
  const service = method.parent.file.proto.package.split(".")[0] ?? "";
  return Object.entries(DEFAULT_PORTS).find(([name]) => name === service)?.[1] ?? EDGE_PORT;
}

function messageSection(page: string, message: DescMessage): string[] {
  const rules = messageRuleWords(message);
  return [
    `### ${title(message)}`,
    "",
    commentOf(message),
    "",
    ...(rules.length > 0 ? [`Rules: ${rules.join("; ")}.`, ""] : []),
    ...(message.fields.length > 0
      ? [
          "| field | type | rules | meaning |",
          "|---|---|---|---|",
          ...message.fields.map((field) => fieldRow(page, field)),
          "",
        ]
      : []),
  ];
}

function fieldRow(page: string, field: DescField): string {
  const group = field.oneof ? [`one of \`${field.oneof.name}\``] : [];
  const rules = [...group, ...ruleWords(field)].join("; ");
  return `| \`${field.name}\` | ${typeOf(page, field)} | ${cell(rules)} | ${cell(commentOf(field))} |`;
}

function enumSection(desc: DescEnum): string[] {
  return [
    `### ${title(desc)}`,
    "",
    commentOf(desc),
    "",
    "| value | number | meaning |",
    "|---|---|---|",
    ...desc.values.map(
      (value) => `| \`${value.name}\` | ${value.number} | ${cell(commentOf(value))} |`,
    ),
    "",
  ];
}

/** A field's type as a reader names it: `string`, `Money`, `map of string`, `list of Entry`. */
function typeOf(page: string, field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return scalarName(field.scalar);
    case "enum":
      return typeLink(page, field.enum);
    case "message":
      return typeLink(page, field.message);
    case "list":
      return `list of ${elementName(page, field.listKind === "scalar" ? field.scalar : (field.message ?? field.enum))}`;
    case "map":
      return `map of ${scalarName(field.mapKey)} to ${elementName(page, field.mapKind === "scalar" ? field.scalar : (field.message ?? field.enum))}`;
  }
}

function elementName(page: string, type: ScalarType | DescMessage | DescEnum): string {
  return typeof type === "number" ? scalarName(type) : typeLink(page, type);
}

function scalarName(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

function typeLink(page: string, type: DescMessage | DescEnum): string {
  const home = type.file.proto.package;
  if (home.startsWith("google.")) return `\`${type.typeName}\``;
  const file = home === page ? "" : `${home}.md`;
  return `[${title(type)}](${file}#${anchor(title(type))})`;
}

/** `PaymentMethod.Mock` of `common.v1.PaymentMethod.Mock`. */
function title(type: DescMessage | DescEnum): string {
  return type.typeName.slice(type.file.proto.package.length + 1);
}

function rpcTitle(method: DescMethod): string {
  return `${method.parent.name}.${method.name}`;
}

/** The anchor a page of Markdown gives a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, "")
    .replaceAll(" ", "-");
}

function routesOf(method: DescMethod): string[] {
  return bindingsOf(method).map(({ verb, template }) => `${verb.toUpperCase()} ${template}`);
}

function methodsOf(files: readonly DescFile[]): DescMethod[] {
  return files.flatMap((file) => file.services).flatMap((service) => [...service.methods]);
}

function withNested(message: DescMessage): DescMessage[] {
  return [
    message,
    ...message.nestedMessages.filter((m) => !m.proto.options?.mapEntry).flatMap(withNested),
  ];
}

function cell(text: string): string {
  return text.replaceAll(/(?<!\\)\|/g, "\\|");
}
