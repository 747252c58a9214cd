import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  AttentionKind,
  AttentionSchema,
  AuditProgressSchema,
  type AuditResponse,
  AuditResponseSchema,
  InvariantResult,
  InvariantSchema,
  type StreamAuditResponse,
  StreamAuditResponseSchema,
  ViolationSchema,
} from "#gen/reporting/v1/reporting_pb.ts";
import type { AuditProgress, AuditReport } from "../application/audit.ts";
import type { Attention } from "../domain/attention.ts";
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
    attention: report.attention.map((one) => attentionMessage(one, report.snapshotTime)),
  });
}

/** A message of StreamAudit while it goes on. */
export function progressResponse(progress: AuditProgress): StreamAuditResponse {
  return create(StreamAuditResponseSchema, {
    event: { case: "progress", value: create(AuditProgressSchema, progress) },
  });
}

/** The last message of StreamAudit. */
export function streamedAudit(report: AuditReport): StreamAuditResponse {
  return create(StreamAuditResponseSchema, {
    event: { case: "audit", value: auditResponse(report) },
  });
}

function attentionMessage({ kind, count, oldest }: Attention, now: Date) {
  const since = oldest[0]?.since;
  return create(AttentionSchema, {
    kind: AttentionKind[kind],
    count,
    ...(since && { oldestAge: durationFromMs(Math.max(0, now.getTime() - since.getTime())) }),
    oldest: oldest.map((item) => ({
      id: item.id,
      detail: item.detail.slice(0, DETAIL_MAX),
      ...(item.since && { sinceTime: timestampFromDate(item.since) }),
    })),
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
