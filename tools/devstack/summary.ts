import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Payment, PaymentStatus, PaymentStep } from "#gen/payment/v1/payment_pb.ts";
import { type AuditResponse, InvariantResult } from "#gen/reporting/v1/reporting_pb.ts";
import { DEMO_ACCOUNT } from "./demo.ts";
import type { Reach } from "./reach.ts";
import type { Stack } from "./stack.ts";

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
export function bannerOf({ security }: Reach): string {
  return security.mode === "development"
    ? "DEVELOPMENT MODE: anybody on this machine may call, with every role and without a key (docs/security.md)"
    : "PRODUCTION MODE: every call needs a key or a token (docs/security.md)";
}

/** Lines to copy: the first key where one is needed, a payment by grpcurl, buf curl and curl, and a look at it. */
export function copyLines(
  stack: Pick<Stack, "addresses" | "temporalUi" | "reach" | "dataDir">,
  paymentId: string | undefined,
  /** Whether grpcurl can be typed as it is; else it is brought when it is first called. */
  hasGrpcurl: boolean,
): string {
  const { addresses, temporalUi, reach } = stack;
  const edge = addresses["edge"] ?? "";
  const method = "payment.v1.PaymentService/Create";
  const body = JSON.stringify({
    accountId: DEMO_ACCOUNT,
    amount: { currencyCode: "USD", minorUnits: "1250" },
    waitUntil: "WAIT_UNTIL_COMPLETED",
  });
  const { grpcurl, buf, curl, settle } = flagsFor(reach);
  const cli = `./tools/settle.mjs --data-dir ${shellWord(stack.dataDir)}`;
  const call = hasGrpcurl ? "grpcurl" : "npm run --silent tool -- grpcurl";
  const key = "export SETTLE_API_KEY=sk_bootstrap_…  (as it says)";
  const bootstrap = `${cli} key create --bootstrap --subject admin --role operator merchant`;
  const lines = [
    ...(reach.security.mode === "development"
      ? []
      : ["First key, once", `  ${bootstrap}`, `  ${key}`]),
    "Pay",
    `  ${call} ${grpcurl}-d '${body}' ${edge} ${method}`,
    `  npx buf curl ${buf}--protocol grpc -d '${body}' ${reach.scheme}://${edge}/${method}`,
    `  curl -s ${curl}-H 'content-type: application/json' -d '${body}' ${reach.scheme}://${edge}/${method}`,
    "Look",
    `  ${cli} ${settle}payment ${paymentId === undefined ? "list" : `get ${paymentId}`}`,
    `  ${cli} ${settle}audit`,
  ];
  if (temporalUi !== undefined) lines.push(`  http://${temporalUi}  (Temporal's own page)`);
  return lines.join("\n");
}

/** A text as one word of a shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What each tool needs to be believed and to believe; every text ends with a space or is empty. */
function flagsFor({ scheme, security }: Reach) {
  const { ca, cert, key } = security.peerTls ?? {};
  // A certificate of our own only where the port asks for one.
  const shown = security.clientCertificates ? [cert, key] : [];
  const files = (...names: readonly string[]): string =>
    [ca, ...shown].map((file, at) => (file === undefined ? "" : `${names[at]} ${file} `)).join("");
  const header =
    security.mode === "development" ? "" : '-H "authorization: Bearer $SETTLE_API_KEY" ';
  const clear = scheme === "http";
  return {
    grpcurl: `${clear ? "-plaintext " : files("-cacert", "-cert", "-key")}${header}`,
    buf: `${clear ? "--http2-prior-knowledge " : files("--cacert", "--cert", "--key")}${header}`,
    curl: `${clear ? "" : files("--cacert", "--cert", "--key")}${header}`,
    settle: clear ? "" : files("--ca", "--cert", "--cert-key"),
  };
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
