import { expect, test } from "vitest";
import { pageToken, readPageToken } from "#kit/page.ts";

const FILTER = { status: "OPEN", amount: 5n };
const token = pageToken(FILTER, ["p1", "p2"]);

test("a token leads to the row it was made of", () => {
  expect(readPageToken(token, FILTER, 2)).toEqual(["p1", "p2"]);
  expect(readPageToken("", FILTER, 2)).toBeUndefined();
});

test.each([
  ["trailing bytes", `${token}!!`],
  ["a line break", `${token}\n`],
  ["padding", `${token}=`],
  ["the other alphabet", Buffer.from(JSON.stringify(["????>>>>", "p"])).toString("base64")],
  ["one character less", token.slice(0, -1)],
  ["one character more", `${token}A`],
])("a token with %s is none of ours", (_, text) => {
  expect(() => readPageToken(text, FILTER, 2)).toThrow(
    expect.objectContaining({ reason: "INVALID_PAGE_TOKEN" }),
  );
});

test("a token of another filter or list is refused", () => {
  for (const [filter, parts] of [
    [{ status: "DONE" }, 2],
    [FILTER, 1],
  ] as const) {
    expect(() => readPageToken(token, filter, parts)).toThrow();
  }
});
