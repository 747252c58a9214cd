import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Payment, PaymentStatus, PaymentStep } from "#gen/payment/v1/payment_pb.ts";
import { type AuditResponse, InvariantResult } from "#gen/reporting/v1/reporting_pb.ts";
import { DEMO_ACCOUNT } from "./demo.ts";

/** Name of a status as the API spells it, without the prefix: `SUCCEEDED`. */
export function statusName(status: PaymentStatus): string {
  const entry = Object.entries(PaymentStatus).find(([, value]) => value === status);
  return entry?.[0] ?? String(status);
}

function stepName(step: PaymentStep): string {
  const entry = Object.entries(PaymentStep).find(([, value]) => value === step);
  return (entry?.[0] ?? String(step)).toLowerCase().replaceAll("_", "-");
}

/** What happened to a payment, one line per change, in milliseconds since it was accepted. */
export function timelineText(payment: Payment): string {
  const begin = payment.createTime ? timestampMs(payment.createTime) : 0;
  const lines = payment.timeline.map((entry) => {
    const atMs = entry.time ? timestampMs(entry.time) - begin : 0;
    const status = statusName(entry.status).padEnd(11);
    return `  ${`+${atMs} ms`.padStart(9)}  ${status} ${stepName(entry.step).padEnd(17)} ${entry.message}`;
  });
  const { minorUnits = 0n, currencyCode = "" } = payment.amount ?? {};
  const head = `Demo payment ${payment.paymentId}: ${minorUnits} minor units of ${currencyCode} from ${payment.accountId}`;
  const failure = payment.failure ? `: ${payment.failure.reason} ${payment.failure.message}` : "";
  return [head, ...lines, `  ends as ${statusName(payment.status)}${failure}`].join("\n");
}

/** Where everything listens. */
export function addressTable(addresses: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(addresses).map((name) => name.length));
  const rows = Object.entries(addresses).map(
    ([name, address]) => `  ${name.padEnd(width)}  ${address}`,
  );
  return ["Addresses", ...rows].join("\n");
}

/** What everybody must know who sees this stack. */
export const DEVELOPMENT_BANNER =
  "DEVELOPMENT MODE: anybody on this machine may call, with every role and without a key (docs/security.md)";

/** Lines to copy: a payment by grpcurl, buf curl and curl, and a look at it. */
export function copyLines(
  payment: string,
  temporalUi: string | undefined,
  paymentId: string | undefined,
): string {
  const method = "payment.v1.PaymentService/Create";
  const amount = { currencyCode: "USD", minorUnits: "1250" };
  const body = JSON.stringify({
    accountId: DEMO_ACCOUNT,
    amount,
    waitUntil: "WAIT_UNTIL_COMPLETED",
  });
  const lines = [
    "Pay",
    `  grpcurl -plaintext -d '${body}' ${payment} ${method}`,
    `  npx buf curl --http2-prior-knowledge --protocol grpc -d '${body}' http://${payment}/${method}`,
    `  curl -s -H 'content-type: application/json' -d '${body}' http://${payment}/${method}`,
    "Look",
    `  npx settle payment ${paymentId === undefined ? "list" : `get ${paymentId}`}`,
    "  npx settle audit",
  ];
  if (temporalUi !== undefined) lines.push(`  http://${temporalUi}  (Temporal's own page)`);
  return lines.join("\n");
}

/** The audit in one line, or one line per broken invariant. */
export function auditText(audit: AuditResponse): string {
  if (audit.ok) {
    return `Audit: clean (${audit.finalPayments} final, ${audit.openPayments} open payments, ${audit.transfers} transfers)`;
  }
  const broken = audit.invariants.filter((one) => one.result === InvariantResult.BROKEN);
  const lines = broken.map((one) => {
    const ids = one.violations
      .slice(0, 3)
      .map((violation) => `${violation.id} (${violation.detail})`);
    return `  ${one.id} ${one.title}: ${one.violationCount} violations: ${ids.join(", ")}`;
  });
  return ["Audit: BROKEN", ...lines].join("\n");
}
