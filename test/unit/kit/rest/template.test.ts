import { describe, expect, test } from "vitest";
import { Refusal } from "#kit/refusal.ts";
import { matchTemplate, parseTemplate } from "#kit/rest/template.ts";

describe("parseTemplate", () => {
  test.each([
    ["", "/ is missing"],
    ["v1", "/ is missing"],
    ["/", "missing"],
    ["/v1//x", "missing"],
    ["/v1/", "missing"],
    ["/v1/{a", "} is missing"],
    ["/v1/{a}}", "unexpected"],
    ["/v1/{}", "missing"],
    ["/v1/{a={b}}", "missing"],
    ["/v1/{a=**}/b", "** must be the last"],
    ["/v1/**/b", "** must be the last"],
    ["/v1/{a}/{a}", "bound twice"],
    ["/v1/{a.}", "} is missing"],
    ["/v1/{1a}", "missing"],
    ["/v1/x:", "missing"],
    ["/v1/x:y:z", "unexpected"],
    ["/v1/x?y", "unexpected"],
  ])("%j is no template", (text, why) => {
    expect(() => parseTemplate(text)).toThrow(why);
  });

  test("knows where a variable begins and ends", () => {
    expect(parseTemplate("/v1/{name=shelves/*/books/**}:read")).toMatchObject({
      segments: [{ text: "v1" }, { text: "shelves" }, {}, { text: "books" }, { kind: "rest" }],
      variables: [{ path: ["name"], from: 1, to: 5, multi: true }],
      verb: "read",
    });
  });
});

describe("matchTemplate", () => {
  const match = (template: string, path: string) => {
    const found = matchTemplate(parseTemplate(template), path);
    return found === undefined ? undefined : Object.fromEntries(found);
  };

  test.each([
    ["/v1/{a=**}", "/v1", { a: "" }],
    ["/v1/{a=**}", "/v1/", { a: "" }],
    ["/v1/{a=**}", "/v1/x//y/", { a: "x//y/" }],
    ["/v1/{a=x/**}", "/v1/x", { a: "x" }],
    ["/v1/{a=x/**}", "/v1/y", undefined],
    ["/v1/{a=x/*}/{b}", "/v1/x/1/2", { a: "x/1", b: "2" }],
    ["/{a.b.c}/{d}", "/1/2", { "a.b.c": "1", d: "2" }],
    ["/v1/{a}:go", "/v1/x:go", { a: "x" }],
    ["/v1/{a}:go", "/v1/:go", undefined],
    ["/v1/{a}:go", "/v1/x:going", undefined],
    ["/v1/{a}:go", ":go", undefined],
    ["/v1/{a=**}:go", "/v1/x/y:go", { a: "x/y" }],
    ["/v1/a%20b", "/v1/a b", {}],
    ["/v1/x", "/v1/%zz", undefined],
    ["/v1/x", "/V1/x", undefined],
    ["/v1/*/x", "/v1/%2F/x", {}],
    ["/v1/*/x", "/v1//x", undefined],
  ])("%s on %s", (template, path, expected) => {
    expect(match(template, path)).toEqual(expected);
  });

  test.each([
    ["%", "%"],
    ["%F", "%F"],
    ["%FF", "%FF"],
    ["%ED%A0%80", "a lone surrogate"],
  ])("refuses %s: no percent-encoded UTF-8", (raw) => {
    expect(() => match("/v1/{a}", `/v1/${raw}`)).toThrow(Refusal);
    expect(() => match("/v1/{a=x/*}", `/v1/x/${raw}`)).toThrow(Refusal);
  });
});
