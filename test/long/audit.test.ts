import { describeAuditOf } from "#test/slow/audit.scale.ts";

describeAuditOf(Number(process.env["AUDIT_PAYMENTS"] ?? 200_000));
