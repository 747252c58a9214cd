import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type AuditResponse,
  AuditResponseSchema,
  InvariantResult,
  InvariantSchema,
  ViolationSchema,
} from "#gen/reporting/v1/reporting_pb.ts";
import type { AuditReport } from "../application/audit.ts";
import { INVARIANTS, type InvariantFinding } from "../domain/invariants.ts";

/** Longest detail of a violation that goes over the wire. */
const DETAIL_MAX = 500;

/** The answer to Audit. */
export function auditResponse(report: AuditReport): AuditResponse {
  return create(AuditResponseSchema, {
    ok: report.ok,
    invariants: report.invariants.map(invariantMessage),
    openPayments: report.openPayments,
    finalPayments: report.finalPayments,
    transfers: report.transfers,
    snapshotTime: timestampFromDate(report.snapshotTime),
  });
}

function invariantMessage(finding: InvariantFinding) {
  return create(InvariantSchema, {
    id: finding.id,
    title: INVARIANTS[finding.id],
    result: InvariantResult[finding.result],
    checked: finding.checked,
    violationCount: finding.violationCount,
    violations: finding.violations.map(({ id, detail }) =>
      create(ViolationSchema, { id, detail: detail.slice(0, DETAIL_MAX) }),
    ),
  });
}
