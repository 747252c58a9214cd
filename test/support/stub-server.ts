import type { ServiceImpl } from "@connectrpc/connect";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { developmentAuthority } from "#kit/auth/authority.ts";
import { createLog, type Log } from "#kit/log.ts";
import { type RpcServer, type RpcServerOptions, startRpcServer } from "#kit/rpc/server.ts";

/** Handlers a test brings; what it does not bring is UNIMPLEMENTED. */
export interface StubHandlers {
  readonly fraud?: Partial<ServiceImpl<typeof FraudService>>;
  readonly reporting?: Partial<ServiceImpl<typeof ReportingService>>;
}

/** A real port with real contracts and a test's own handlers behind them. Close it when done. */
export async function startStubServer(
  handlers: StubHandlers = {},
  options: Partial<RpcServerOptions> = {},
): Promise<RpcServer & AsyncDisposable> {
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    services: [FraudService, ReportingService],
    routes: (router) => {
      router.service(FraudService, handlers.fraud ?? {});
      router.service(ReportingService, handlers.reporting ?? {});
    },
    reasons: {},
    log: createLog("silent"),
    security: { authority: developmentAuthority() },
    ...options,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.close(1_000) };
}

/** A log that keeps its lines for a test to read. */
export function keepingLog(): { readonly log: Log; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const log = createLog("silent");
  for (const level of ["debug", "info", "warn", "error"] as const) {
    log[level] = (fields: object | string, text?: string) => {
      lines.push({ level, text: text ?? "", ...(typeof fields === "object" ? fields : {}) });
    };
  }
  return { log, lines };
}

/** A line of `keepingLog`. */
export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly [field: string]: unknown;
}
