import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import type { AuditDeps } from "../application/books.ts";
import { audit } from "./audit.ts";
import { streamAudit } from "./stream-audit.ts";

/** Handlers of one or more RPCs. */
export type ReportingHandlers = Partial<ServiceImpl<typeof ReportingService>>;

/** Registers ReportingService. */
export function reportingRoutes(deps: AuditDeps): (router: ConnectRouter) => void {
  return (router) => {
    router.service(ReportingService, { ...audit(deps), ...streamAudit(deps) });
  };
}
