import { create } from "@bufbuild/protobuf";
import {
  type AuditResponse,
  AuditResponseSchema,
  InvariantResult,
  InvariantSchema,
} from "#gen/reporting/v1/reporting_pb.ts";

/**
 * One answer out of two audits that brought different acknowledgements: A10 adds up, and anything that was broken
 * in either stays broken. The counts are those of the later snapshot.
 */
export function mergeAudits(first: AuditResponse, second: AuditResponse): AuditResponse {
  const before = new Map(first.invariants.map((invariant) => [invariant.id, invariant]));
  const invariants = second.invariants.map((invariant) => {
    const other = before.get(invariant.id);
    if (other === undefined) return invariant;
    if (invariant.id !== "A10") return other.result === InvariantResult.BROKEN ? other : invariant;
    return create(InvariantSchema, {
      ...invariant,
      result: other.result === InvariantResult.BROKEN ? other.result : invariant.result,
      checked: other.checked + invariant.checked,
      violationCount: other.violationCount + invariant.violationCount,
      violations: [...other.violations, ...invariant.violations],
    });
  });
  return create(AuditResponseSchema, { ...second, ok: first.ok && second.ok, invariants });
}
