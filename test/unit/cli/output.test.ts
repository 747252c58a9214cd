import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type AuditResponse,
  AuditResponseSchema,
  InvariantResult,
} from "#gen/reporting/v1/reporting_pb.ts";
import { readAck } from "#tools/cli/audit.ts";
import { mergeAudits } from "#tools/cli/audit-pages.ts";
import { jsonText } from "#tools/cli/output.ts";
import { renderFields, renderTable } from "#tools/cli/table.ts";

test("columns are as wide as their widest cell, and numbers stand under each other", () => {
  const rows = [
    { id: "a", amount: "1.00" },
    { id: "bcd", amount: "10.00" },
  ];
  const columns = [
    { title: "ID", cell: (row: { id: string }) => row.id },
    { title: "AMOUNT", cell: (row: { id: string; amount: string }) => row.amount, right: true },
    { title: "NOTE", cell: () => "" },
  ];
  expect(renderTable(columns, rows)).toEqual(["ID   AMOUNT  NOTE", "a      1.00", "bcd   10.00"]);
});

test("control characters of a stranger's text cannot move the reader's cursor", () => {
  const columns = [{ title: "TEXT", cell: (row: string) => row }];
  expect(renderTable(columns, ["a\u001b[31m\nb\u202e"])[1]).toBe("a [31m b");
  expect(
    renderFields([
      ["text", "a\u0007b"],
      ["empty", ""],
    ]),
  ).toEqual(["text  a b"]);
});

test("acknowledgements are read in the names of the contract and of its JSON", () => {
  const told = { requestId: "r", paymentId: "p", status: "SUCCEEDED" };
  expect(readAck('{"request_id":"r","payment_id":"p","status":"SUCCEEDED"}', "f:1")).toMatchObject(
    told,
  );
  expect(readAck(JSON.stringify(told), "f:1")).toMatchObject(told);
});

test.each(["{", "[]", "null", '{"request_id":"r"}', '{"payment_id":7}'])(
  "the line %s is refused with its place, instead of being skipped",
  (line) => {
    expect(() => readAck(line, "acks.jsonl:7")).toThrow("acks.jsonl:7");
  },
);

test("two audits of one acknowledgement file add up to one answer that hides nothing", () => {
  const { OK, BROKEN } = InvariantResult;
  const first = audit(false, [
    ["A6", BROKEN, 10n, 1n],
    ["A10", OK, 400n, 0n],
  ]);
  const second = audit(false, [
    ["A6", OK, 12n, 0n],
    ["A10", BROKEN, 7n, 2n],
  ]);
  expect(mergeAudits(first, second)).toMatchObject({
    ok: false,
    invariants: [
      { id: "A6", result: BROKEN, checked: 10n, violationCount: 1n },
      { id: "A10", result: BROKEN, checked: 407n, violationCount: 2n },
    ],
  });
});

test("JSON for machines cannot drive a terminal, and says the same", () => {
  const value = { text: "a\u0007\u007f\u009b31m\u202e\u2028\u{e0041}é漢" };
  const text = jsonText(value);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  expect(text).toContain("é漢");
  expect(JSON.parse(text)).toEqual(value);
});

function audit(
  ok: boolean,
  rows: readonly (readonly [string, InvariantResult, bigint, bigint])[],
): AuditResponse {
  const invariants = rows.map(([id, result, checked, violationCount]) => ({
    id,
    result,
    checked,
    violationCount,
  }));
  return create(AuditResponseSchema, { ok, invariants });
}
