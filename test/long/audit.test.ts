import { describeAuditOf } from "#test/slow/audit.scale.ts";

describeAuditOf(200_000);
