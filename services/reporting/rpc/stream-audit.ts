import type { StreamAuditResponse } from "#gen/reporting/v1/reporting_pb.ts";
import { scopeOf } from "#kit/rpc/context.ts";
import { type AuditProgress, audit } from "../application/audit.ts";
import type { AuditDeps } from "../application/books.ts";
import { progressResponse, streamedAudit } from "./mapping.ts";
import type { ReportingHandlers } from "./router.ts";

/** Pause between two signs of progress, in milliseconds. */
const PROGRESS_MS = 500;

export function streamAudit(deps: AuditDeps): Pick<ReportingHandlers, "streamAudit"> {
  return {
    async *streamAudit({ acknowledgements }, context): AsyncGenerator<StreamAuditResponse> {
      const { signal } = context;
      let progress: AuditProgress | undefined;
      const onProgress = (seen: AuditProgress): void => {
        progress = seen;
      };
      const running = audit(deps, scopeOf(context), { acknowledgements, signal, onProgress });
      // Awaited below; until then a failure must not end the process.
      running.catch(() => undefined);
      for (;;) {
        const report = await Promise.race([running, pause()]);
        if (report !== undefined) {
          yield streamedAudit(report);
          return;
        }
        if (progress !== undefined) yield progressResponse(progress);
      }
    },
  };
}

function pause(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), PROGRESS_MS));
}
