import type { ServiceImpl } from "@connectrpc/connect";
import { AccountService } from "#gen/account/v1/account_pb.ts";
import { PaymentService } from "#gen/payment/v1/payment_pb.ts";
import { ReportingService } from "#gen/reporting/v1/reporting_pb.ts";
import { developmentAuthority } from "#kit/auth/authority.ts";
import type { Env } from "#kit/config.ts";
import { createLog } from "#kit/log.ts";
import type { ReasonTable } from "#kit/pure/reasons.ts";
import { startRpcServer } from "#kit/rpc/server.ts";
import { runCli } from "#tools/cli/program.ts";

/** What a command line left behind. */
export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function run(
  argv: readonly string[],
  options: { readonly env?: Env; readonly terminal?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCli(argv, {
    env: options.env ?? {},
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    terminal: options.terminal ?? false,
    signal: options.signal ?? new AbortController().signal,
  });
  return { exitCode, out: out.join(""), err: err.join("") };
}

/** Reasons a stub may refuse with. */
export const stubReasons = {
  NOT_CANCELLABLE: { status: "FAILED_PRECONDITION", retryable: false, message: "It is settled." },
  NOT_CAPTURABLE: { status: "FAILED_PRECONDITION", retryable: false, message: "It is not." },
  NOT_REFUNDABLE: { status: "FAILED_PRECONDITION", retryable: false, message: "It is not." },
  PAYMENT_NOT_FOUND: {
    status: "NOT_FOUND",
    retryable: false,
    message: "There is no such payment.",
  },
  STREAM_CUT: { status: "UNAVAILABLE", retryable: true, message: "The stream ends here." },
} as const satisfies ReasonTable;

/** Services on the far side of the wire, with a test's own answers. */
export async function startStubs(handlers: {
  readonly payment?: Partial<ServiceImpl<typeof PaymentService>>;
  readonly account?: Partial<ServiceImpl<typeof AccountService>>;
  readonly reporting?: Partial<ServiceImpl<typeof ReportingService>>;
}): Promise<AsyncDisposable & { readonly address: string }> {
  const server = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    services: [PaymentService, AccountService, ReportingService],
    routes: (router) => {
      router.service(PaymentService, handlers.payment ?? {});
      router.service(AccountService, handlers.account ?? {});
      router.service(ReportingService, handlers.reporting ?? {});
    },
    reasons: stubReasons,
    log: createLog("silent"),
    security: { authority: developmentAuthority() },
  });
  return { address: server.address, [Symbol.asyncDispose]: () => server.close(1_000) };
}
