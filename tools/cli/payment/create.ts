import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Command, Option } from "commander";
import { MoneySchema } from "#gen/common/v1/money_pb.ts";
import {
  PaymentMethod_Mock_Behaviour as Behaviour,
  type PaymentMethod,
  PaymentMethodSchema,
} from "#gen/common/v1/payment_method_pb.ts";
import {
  CaptureMode,
  CreateResponseSchema,
  PaymentService,
  WaitUntil,
} from "#gen/payment/v1/payment_pb.ts";
import { parseDurationMs } from "#kit/config.ts";
import { type AmountOptions, requireAmount } from "../amount.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { EXIT_OPEN, UsageError } from "../errors.ts";
import { enumChoices, printOne } from "../output.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { withAmount } from "./options.ts";
import { exitCodeOf, isFinal, paymentLines, required } from "./view.ts";

const WAITS: Readonly<Record<string, WaitUntil>> = {
  accepted: WaitUntil.ACCEPTED,
  validated: WaitUntil.VALIDATED,
  authorized: WaitUntil.AUTHORIZED,
  completed: WaitUntil.COMPLETED,
};

const MODES: Readonly<Record<string, CaptureMode>> = {
  automatic: CaptureMode.AUTOMATIC,
  manual: CaptureMode.MANUAL,
};

const BEHAVIOURS = enumChoices<Behaviour>(Behaviour);

const HELP = `
Exit code 3 when the payment ended FAILED or CANCELLED; with --wait completed, 4 when it has not ended in time.

Examples:
  settle payment create --account 1 --amount 12.50 USD
  settle payment create --account 1 --minor 1250 --currency USD --wait completed
  settle payment create --user user-7 --amount 1500 JPY --mock decline --request-id order-4711
  settle payment create --account 1 --amount 5 USD --capture manual --metadata basket=9 --metadata shop=2`;

interface CreateOptions extends AmountOptions {
  readonly account?: string;
  readonly user?: string;
  readonly requestId?: string;
  readonly wait?: string;
  readonly waitTimeout: string;
  readonly mock?: string;
  readonly flakyAttempts: string;
  readonly cardToken?: string;
  readonly capture?: string;
  readonly description: string;
  readonly metadata: Record<string, string>;
  readonly orderId: string;
}

/** `settle payment create`. */
export function addPaymentCreate(parent: Command, io: CliIo, result: { exitCode: number }): void {
  const command = parent.command("create").description("take a payment");
  withRequestId(withAmount(command, "how much"))
    .option("--account <id>", "who pays")
    .option("--user <id>", "instead of --account: the owner, whose account in the currency pays")
    .addOption(new Option("--wait <state>", "how far to wait").choices(Object.keys(WAITS)))
    .option("--wait-timeout <duration>", "how long to wait, at most 25s", "25s")
    .addOption(
      new Option("--mock <behaviour>", "what the mock provider does").choices(
        Object.keys(BEHAVIOURS),
      ),
    )
    .option("--flaky-attempts <n>", "with --mock flaky: attempts that fail", "2")
    .option("--card-token <token>", "pay by a stored card instead, for example tok_visa")
    .addOption(
      new Option("--capture <mode>", "when the money is taken").choices(Object.keys(MODES)),
    )
    .option("--description <text>", "free text", "")
    .option("--metadata <key=value>", "kept with the payment; may be repeated", collectPair, {})
    .option("--order-id <id>", "what it is for", "")
    .addHelpText("after", HELP)
    .action(async (options: CreateOptions) => {
      result.exitCode = await createPayment(command, io, options);
    });
}

async function createPayment(command: Command, io: CliIo, options: CreateOptions): Promise<number> {
  const invocation = invocationOf(command, io);
  const request = createRequest(options);
  const response = await withRequest(invocation, options.requestId, (requestId) =>
    invocation
      .client("payment", PaymentService)
      .create({ ...request, requestId }, invocation.call()),
  );
  const payment = required(response.payment);
  const watch = isFinal(payment.status)
    ? []
    : [`watch it: settle payment watch ${payment.paymentId}`];
  printOne(invocation, CreateResponseSchema, response, [...paymentLines(payment), ...watch]);
  const exitCode = exitCodeOf(payment.status);
  // Only who asked to wait for the end is told that there was none yet.
  return exitCode === EXIT_OPEN && options.wait !== "completed" ? 0 : exitCode;
}

function createRequest(options: CreateOptions) {
  if ((options.account === undefined) === (options.user === undefined)) {
    throw new UsageError("give exactly one of --account and --user", "for example --account 1");
  }
  const method = paymentMethod(options);
  return {
    accountId: options.account ?? "",
    userId: options.user ?? "",
    amount: create(MoneySchema, requireAmount(options)),
    ...(method ? { paymentMethod: method } : {}),
    captureMode: MODES[options.capture ?? ""] ?? CaptureMode.UNSPECIFIED,
    description: options.description,
    metadata: options.metadata,
    orderId: options.orderId,
    waitUntil: WAITS[options.wait ?? ""] ?? WaitUntil.UNSPECIFIED,
    waitTimeout: durationFromMs(waitTimeoutMs(options.waitTimeout)),
  };
}

function paymentMethod(options: CreateOptions): PaymentMethod | undefined {
  if (options.cardToken !== undefined && options.mock !== undefined) {
    throw new UsageError("give either --mock or --card-token, not both", "leave one out");
  }
  if (options.cardToken !== undefined) {
    return create(PaymentMethodSchema, {
      method: { case: "cardToken", value: { token: options.cardToken } },
    });
  }
  if (options.mock === undefined) return undefined;
  const behaviour = BEHAVIOURS[options.mock] ?? Behaviour.UNSPECIFIED;
  const flakyAttempts = behaviour === Behaviour.FLAKY ? attempts(options.flakyAttempts) : 0;
  return create(PaymentMethodSchema, {
    method: { case: "mock", value: { behaviour, flakyAttempts } },
  });
}

function attempts(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > 1000) {
    throw new UsageError(`not a number of attempts: ${text}`, "give a whole number from 0 to 1000");
  }
  return Number(text);
}

function waitTimeoutMs(text: string): number {
  try {
    return parseDurationMs(text);
  } catch {
    throw new UsageError(`not a duration: ${text}`, "write for example 10s or 500ms");
  }
}

function collectPair(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1)
    throw new UsageError(`not key=value: ${text}`, "write for example --metadata basket=9");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
