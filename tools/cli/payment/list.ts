import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Command, Option } from "commander";
import {
  type Payment,
  PaymentSchema,
  PaymentService,
  PaymentStatus,
} from "#gen/payment/v1/payment_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { UsageError } from "../errors.ts";
import { enumChoices, printMany } from "../output.ts";
import { readPages, withLimit } from "../pages.ts";
import { paymentColumns } from "./view.ts";

const STATUSES = enumChoices<PaymentStatus>(PaymentStatus);

interface ListOptions {
  readonly account: string;
  readonly status?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
}

/** `settle payment list`. */
export function addPaymentList(parent: Command, io: CliIo): void {
  const command = parent.command("list");
  withLimit(command)
    .description("list payments, newest first")
    .option("--account <id>", "only of this account", "")
    .addOption(
      new Option("--status <status>", "only with this status").choices(Object.keys(STATUSES)),
    )
    .option("--from <time>", "only accepted at or after it, for example 2026-11-21T10:00:00Z")
    .option("--to <time>", "only accepted before it")
    .addHelpText("after", "\nExample:\n  settle payment list --status failed --limit 20 -o json")
    .action((options: ListOptions) => listPayments(command, io, options));
}

async function listPayments(command: Command, io: CliIo, options: ListOptions): Promise<void> {
  const invocation = invocationOf(command, io);
  const client = invocation.client("payment", PaymentService);
  const filter = {
    accountId: options.account,
    status: STATUSES[options.status ?? ""] ?? PaymentStatus.UNSPECIFIED,
    ...(options.from ? { createTimeFrom: timestampFromDate(readTime(options.from)) } : {}),
    ...(options.to ? { createTimeTo: timestampFromDate(readTime(options.to)) } : {}),
  };
  const payments = await readPages<Payment>(options.limit, async (page) => {
    const response = await client.list({ ...filter, ...page }, invocation.call());
    return { rows: response.payments, nextPageToken: response.nextPageToken };
  });
  printMany(invocation, PaymentSchema, payments, paymentColumns);
}

function readTime(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) {
    throw new UsageError(`not a time: ${text}`, "write for example 2026-11-21T10:00:00Z");
  }
  return date;
}
