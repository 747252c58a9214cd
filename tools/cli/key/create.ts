import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import { type Command, Option } from "commander";
import {
  type CreateKeyRequest,
  CreateKeyRequestSchema,
  type CreateKeyResponse,
  CreateKeyResponseSchema,
  KeyService,
} from "#gen/auth/v1/keys_pb.ts";
import { ROLE_MESSAGES, roleFromMessage } from "#kit/auth/access.ts";
import { keyToMessage } from "#kit/auth/key-routes.ts";
import { KEYS_DATABASE } from "#kit/auth/key-store.ts";
import { bootstrapKey } from "#kit/auth/keys.ts";
import { parseDurationMs } from "#kit/config.ts";
import { connectMongo } from "#kit/mongo/client.ts";
import { validate } from "#kit/rpc/validation.ts";
import { type CliIo, type Invocation, invocationOf } from "../context.ts";
import { CommandFailure, UsageError } from "../errors.ts";
import { printOne } from "../output.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { secretLines } from "./view.ts";

interface CreateOptions {
  readonly subject: string;
  readonly role: readonly (keyof typeof ROLE_MESSAGES)[];
  readonly account: readonly string[];
  readonly description: string;
  readonly lifetime?: string;
  readonly bootstrap?: true;
  readonly requestId?: string;
}

const HELP = `
The key is shown now, and again only to a repeat with the same --request-id. A payer sees and uses only the accounts it is given by --account.
--bootstrap makes the very first key, straight in the database (MONGODB_URI, SETTLE_DATABASE_PREFIX): it needs no key
and no running service, and is refused as soon as any key exists.

Examples:
  settle key create --bootstrap --subject admin --role operator
  settle key create --subject till-3 --role merchant --lifetime 90d
  settle key create --subject alice --role payer --account alice-checking`;

/** `settle key create`. */
export function addKeyCreate(parent: Command, io: CliIo): void {
  const command = parent.command("create");
  withRequestId(command)
    .description("make a key")
    .requiredOption("--subject <name>", "who calls with it, as it stands in logs")
    .addOption(
      new Option("--role <role...>", "what it may do")
        .choices(Object.keys(ROLE_MESSAGES))
        .makeOptionMandatory(),
    )
    .option("--account <account...>", "accounts of a payer", [])
    .option("--description <text>", "for people", "")
    .option(
      "--lifetime <duration>",
      "how long it is good, for example 90d (default: until it is revoked)",
    )
    .option("--bootstrap", "make the first key of all")
    .addHelpText("after", HELP)
    .action(async (options: CreateOptions) => {
      const invocation = invocationOf(command, io);
      const make = options.bootstrap ? bootstrap : createByRpc;
      const response = await make(invocation, options);
      printOne(invocation, CreateKeyResponseSchema, response, secretLines(response));
    });
}

async function createByRpc(
  invocation: Invocation,
  options: CreateOptions,
): Promise<CreateKeyResponse> {
  const client = invocation.client("edge", KeyService);
  return withRequest(invocation, options.requestId, (requestId) =>
    client.createKey({ ...requestOf(options), requestId }, invocation.call()),
  );
}

function requestOf(options: CreateOptions): CreateKeyRequest {
  const { subject, description } = options;
  const lifetime = lifetimeMs(options);
  return create(CreateKeyRequestSchema, {
    subject,
    description,
    roles: options.role.map((role) => ROLE_MESSAGES[role]),
    accounts: [...options.account],
    ...(lifetime === undefined ? {} : { lifetime: durationOf(lifetime) }),
  });
}

async function bootstrap(
  invocation: Invocation,
  options: CreateOptions,
): Promise<CreateKeyResponse> {
  // No server looks at this one, so the rules of the contract are applied here.
  validate(createValidator(), CreateKeyRequestSchema, requestOf(options));
  const { env } = invocation.io;
  const uri =
    env["MONGODB_URI"] || `mongodb://${invocation.addresses.mongod}/?directConnection=true`;
  const mongo = await connectMongo(uri);
  try {
    const db = mongo.db(`${env["SETTLE_DATABASE_PREFIX"] || "settle"}_${KEYS_DATABASE}`);
    const roles = options.role.flatMap((role) => roleFromMessage(ROLE_MESSAGES[role]) ?? []);
    const { subject, description, account: accounts } = options;
    const order = { subject, description, accounts, roles, lifetimeMs: lifetimeMs(options) };
    const made = await bootstrapKey(db, invocation.tenant, order);
    if (made === undefined) {
      throw new CommandFailure(
        "there are keys already, so this is no first start",
        "make further keys with an operator's key: SETTLE_API_KEY=… settle key create …",
      );
    }
    return create(CreateKeyResponseSchema, { key: keyToMessage(made.row), secret: made.text });
  } finally {
    await mongo.close();
  }
}

function lifetimeMs({ lifetime }: CreateOptions): number | undefined {
  if (lifetime === undefined) return undefined;
  return readDuration("--lifetime", lifetime);
}

/** A duration of the command line, in milliseconds. */
export function readDuration(option: string, text: string): number {
  try {
    return parseDurationMs(text);
  } catch {
    throw new UsageError(`${option} ${text} is no duration`, "write for example 24h or 90d");
  }
}

/** A duration as a message. */
export function durationOf(ms: number): Duration {
  return durationFromMs(ms);
}
