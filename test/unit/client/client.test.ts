import { readFileSync } from "node:fs";
import path from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createSettleClient as createBrowserClient } from "#client/browser.ts";
import { createSettleClient, SERVICES, toJson } from "#client/index.ts";
import { withPages } from "#client/pages.ts";
import {
  type ListRequestSchema,
  ListResponseSchema,
  PaymentSchema,
  PaymentService,
} from "#gen/payment/v1/payment_pb.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

describe("a wrong option is told at once, with its name and what it must be", () => {
  test.each([
    [
      "127.0.0.1:8080",
      /baseUrl "127\.0\.0\.1:8080" must begin with http:\/\/ or https:\/\/.*example/,
    ],
    ["localhost:8080", /must begin with http/],
    ["ftp://127.0.0.1", /must begin with http/],
    ["http://", /is not a URL/],
    ["http://127.0.0.1:99999", /is not a URL/],
    ["", /must be the address of Settle/],
    ["http://127.0.0.1:8080?key=1", /nothing after the path/],
  ])("baseUrl %j", (baseUrl, message) => {
    expect(() => createSettleClient({ baseUrl })).toThrow(message);
    expect(() => createSettleClient({ baseUrl })).toThrow(TypeError);
    expect(() => createBrowserClient({ baseUrl })).toThrow(message);
  });

  test("the address of one service is named by that service", () => {
    const options = { baseUrl: "http://127.0.0.1:1", services: { account: "127.0.0.1:2" } };
    expect(() => createSettleClient(options)).toThrow(/services\.account "127\.0\.0\.1:2" must/);
  });

  test("no password and no key is repeated in a message", () => {
    const baseUrl = "http://me:hidden-word@127.0.0.1";
    expect(() => createSettleClient({ baseUrl })).toThrow(/no user or password/);
    expect(() => createSettleClient({ baseUrl })).not.toThrow(/hidden-word/);
    const keyed = { baseUrl: "http://127.0.0.1", apiKey: "hidden-word\n" };
    expect(() => createSettleClient(keyed)).toThrow(/apiKey.*line break/);
    expect(() => createSettleClient(keyed)).not.toThrow(/hidden-word/);
  });

  test("a browser is told what only Node can do", () => {
    const baseUrl = "http://127.0.0.1";
    expect(() => createBrowserClient({ baseUrl, protocol: "grpc" })).toThrow(/needs Node/);
    expect(() => createBrowserClient({ baseUrl, tls: {} })).toThrow(/needs Node/);
  });
});

describe("pages", () => {
  const asked: string[] = [];
  /** A list of the payments 0 to `count` - 1, two on a page. */
  const listOf = (count: number, stuck = false) =>
    withPages(
      PaymentService.method.list,
      async (request: MessageInitShape<typeof ListRequestSchema>) => {
        asked.push(String(request.pageToken));
        const from = Number(request.pageToken || "0");
        const ids = [from, from + 1].filter((id) => id < count);
        return create(ListResponseSchema, {
          payments: ids.map((id) => ({ paymentId: String(id) })),
          nextPageToken: from + 2 < count ? String(stuck ? 2 : from + 2) : "",
        });
      },
    );

  /** `all` and `pages` as the types of a client have them. */
  const pagesOf = (count: number, stuck = false) =>
    Object.assign({}, listOf(count, stuck)) as unknown as (typeof client)["payment"]["list"];
  const client = createSettleClient({ baseUrl: "http://127.0.0.1:1" });

  test("all goes over every page, once, and asks for a page only when it is read", async () => {
    asked.length = 0;
    const seen: string[] = [];
    for await (const { paymentId } of pagesOf(5).all({})) {
      seen.push(paymentId);
      if (paymentId === "1") expect(asked).toEqual([""]);
    }
    expect(seen).toEqual(["0", "1", "2", "3", "4"]);
    expect(asked).toEqual(["", "2", "4"]);
  });

  test("pages goes on at a token that was kept", async () => {
    const sizes: number[] = [];
    for await (const { payments } of pagesOf(5).pages({ pageToken: "2" }))
      sizes.push(payments.length);
    expect(sizes).toEqual([2, 1]);
  });

  test("a server that gives the same token again is not asked for ever", async () => {
    const all = pagesOf(9, true).all({});
    const read = async () => {
      for await (const _ of all);
    };
    await expect(read()).rejects.toThrow(/do not move on/);
  });

  test("every list RPC of the contract has them, and no other RPC", () => {
    for (const [name, service] of Object.entries(SERVICES)) {
      for (const method of service.methods) {
        const isList = method.output.fields.some((field) => field.name === "next_page_token");
        const calls = Object.entries(client).find(([key]) => key === name)?.[1];
        const call = Object.entries(Object(calls)).find(([key]) => key === method.localName)?.[1];
        expect(Object.hasOwn(Object(call), "all"), `${name}.${method.localName}`).toBe(isList);
        const lists = method.output.fields.filter(({ fieldKind }) => fieldKind === "list");
        if (isList) expect(lists).toHaveLength(1);
      }
    }
  });
});

test("toJson writes bigint as a decimal string, as the server does, and knows every message", () => {
  const payment = create(PaymentSchema, {
    paymentId: "p",
    amount: { currencyCode: "USD", minorUnits: 9_007_199_254_740_993n },
  });
  expect(JSON.parse(JSON.stringify(toJson(payment)))).toEqual({
    paymentId: "p",
    amount: { currencyCode: "USD", minorUnits: "9007199254740993" },
  });
  for (const { methods } of Object.values(SERVICES)) {
    for (const { output } of methods) expect(toJson(create(output))).toBeDefined();
  }
  const foreign = { $typeName: "other.v1.Thing" };
  expect(() => toJson(foreign)).toThrow(/other\.v1\.Thing is no message of Settle/);
});

test("the package depends on exactly the versions that the services were tested with", () => {
  const read = (file: string): { dependencies: Record<string, string>; version: string } =>
    JSON.parse(readFileSync(path.join(ROOT, file), "utf8"));
  const root = read("package.json");
  const { dependencies, version } = read("client/package/package.json");
  expect(version).toBe(root.version);
  for (const [name, wanted] of Object.entries(dependencies))
    expect([name, wanted]).toEqual([name, root.dependencies[name]]);
});
