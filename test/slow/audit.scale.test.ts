import { describeAuditOf } from "./audit.scale.ts";

describeAuditOf(20_000);
