import { scopeOf } from "#kit/rpc/context.ts";
import { audit as auditBooks } from "../application/audit.ts";
import type { AuditDeps } from "../application/books.ts";
import { auditResponse } from "./mapping.ts";
import type { ReportingHandlers } from "./router.ts";

export function audit(deps: AuditDeps): Pick<ReportingHandlers, "audit"> {
  return {
    async audit({ acknowledgements }, context) {
      const { signal } = context;
      return auditResponse(await auditBooks(deps, scopeOf(context), { acknowledgements, signal }));
    },
  };
}
