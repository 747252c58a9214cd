import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createRegistry, type DescFile, type DescMethod, fromJson } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { ReasonTable } from "#kit/pure/reasons.ts";
import { bindingsOf, fillTemplate } from "#tools/docs/api/bindings.ts";
import { exampleOf } from "#tools/docs/api/example.ts";
import { readContract } from "#tools/docs/api/image.ts";
import { type OpenApi, openApi, openApiPage } from "#tools/docs/api/openapi.ts";
import { apiPages } from "#tools/docs/api/pages.ts";
import { clientReasons } from "#tools/docs/client-reasons.ts";
import { reasonTables } from "#tools/docs/errors.ts";

const API = path.resolve(import.meta.dirname, "../../docs/api");
const read = (name: string): string => readFileSync(path.join(API, name), "utf8");

let contract: readonly DescFile[];
let tables: ReadonlyMap<string, ReasonTable>;
let methods: readonly DescMethod[];

beforeAll(async () => {
  contract = await readContract();
  tables = await reasonTables();
  methods = contract.flatMap((file) => file.services).flatMap((service) => [...service.methods]);
});

describe("docs/api", () => {
  test("is what npm run docs writes, so that no page tells of an older contract", () => {
    const pages = apiPages(contract, tables);
    const names = readdirSync(API).filter((name) => name.endsWith(".md"));
    expect(names.sort()).toEqual(pages.map(({ name }) => name).sort());
    for (const { name, text } of pages) expect(read(name), name).toBe(text);
    expect(read("openapi.yaml")).toBe(openApiPage(openApi(contract, tables)));
  });

  test("has a section and an example for every RPC", () => {
    for (const method of methods) {
      const page = read(`${method.parent.file.proto.package}.md`);
      expect(page).toContain(`### ${method.parent.name}.${method.name}\n`);
      expect(page).toContain(` ${method.parent.typeName}/${method.name}\n`);
    }
  });

  test("says something of every RPC, message and field, so that no cell of meaning is empty", () => {
    const empty = readdirSync(API)
      .filter((name) => /\.v\d+\.md$/.test(name))
      .flatMap((name) =>
        read(name)
          .split("\n")
          .filter((line) => /^\| `[a-z_0-9]+` \|.*\|\s*\|$/.test(line))
          .map((line) => `${name}: ${line}`),
      );
    expect(empty).toEqual([]);
  });

  test("shows requests that pass the rules, so that a copied one is not refused for a field", () => {
    const validator = createValidator({ registry: createRegistry(...contract) });
    const refused = methods.flatMap((method) => {
      const message = fromJson(method.input, { ...exampleOf(method.input) });
      const result = validator.validate(method.input, message);
      return result.kind === "valid"
        ? []
        : [`${method.parent.name}.${method.name}: ${result.error?.message}`];
    });
    expect(refused).toEqual([]);
  });
});

test("client/reasons.ts is what npm run docs writes, so that a client knows every reason", () => {
  expect(readFileSync(path.join(API, "../../client/reasons.ts"), "utf8")).toBe(
    clientReasons(tables),
  );
});

describe("docs/api/openapi.yaml", () => {
  let document: OpenApi;
  beforeAll(() => {
    // Any reader of YAML must understand it; from here on only what the file says counts.
    document = parse(read("openapi.yaml"));
  });

  test("has every HTTP route of the contract, additional ones too, and no other", () => {
    const inContract = methods
      .flatMap(bindingsOf)
      .map(({ verb, template }) => `${verb} ${fillTemplate(template, (name) => `{${name}}`)}`);
    const inDocument = Object.entries(document.paths).flatMap(([url, item]) =>
      Object.keys(item).map((verb) => `${verb} ${url}`),
    );
    expect(inDocument.sort()).toEqual(inContract.sort());
    expect(new Set(inContract).size).toBe(inContract.length);
  });

  test("resolves every reference within itself", () => {
    const dangling = references(document).filter((pointer) => !resolves(document, pointer));
    expect(references(document).length).toBeGreaterThan(100);
    expect(dangling).toEqual([]);
  });

  test("gives every operation a name of its own, and every variable of a path a parameter", () => {
    const operations = Object.entries(document.paths).flatMap(([url, item]) =>
      Object.values(item).map((operation) => ({ url, operation })),
    );
    const ids = operations.map(({ operation }) => operation["operationId"]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { url, operation } of operations) {
      const variables = [...url.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
      expect(JSON.stringify(operation["parameters"]).match(/"in":"path"/g)?.length ?? 0).toBe(
        variables.length,
      );
    }
  });

  test("describes int64 as a string, so that no reader of JSON rounds money", () => {
    const money = document.components.schemas["common.v1.Money"];
    expect(money).toMatchObject({ properties: { minorUnits: { type: "string" } } });
  });
});

/** Every `$ref` in a document. */
function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" && typeof inner === "string" ? [inner] : references(inner),
  );
}

function resolves(document: unknown, pointer: string): boolean {
  const names = pointer.replace(/^#\//, "").split("/");
  const found = names.reduce<unknown>(
    (at, name) =>
      typeof at === "object" && at !== null
        ? Object.entries(at).find(([key]) => key === name)?.[1]
        : undefined,
    document,
  );
  return pointer.startsWith("#/") && found !== undefined;
}
