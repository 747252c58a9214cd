import type { Command } from "commander";
import { KeyService, RotateKeyResponseSchema } from "#gen/auth/v1/keys_pb.ts";
import { type CliIo, invocationOf } from "../context.ts";
import { printOne } from "../output.ts";
import { withRequest, withRequestId } from "../request-id.ts";
import { durationOf, readDuration } from "./create.ts";
import { secretLines } from "./view.ts";

interface RotateOptions {
  readonly overlap: string;
  readonly requestId?: string;
}

/** `settle key rotate`. */
export function addKeyRotate(parent: Command, io: CliIo): void {
  const command = parent.command("rotate");
  withRequestId(command)
    .description("give a key a new secret; the old one works on for a while")
    .argument("<key>", "id of the key")
    .option("--overlap <duration>", "how long the old secret works on, for example 1h", "24h")
    .addHelpText("after", "\nExample:\n  settle key rotate 0m9x1c7k2q8z4y5t --overlap 1h")
    .action(async (keyId: string, options: RotateOptions) => {
      const invocation = invocationOf(command, io);
      const overlap = durationOf(readDuration("--overlap", options.overlap));
      const client = invocation.client("edge", KeyService);
      const response = await withRequest(invocation, options.requestId, (requestId) =>
        client.rotateKey({ requestId, keyId, overlap }, invocation.call()),
      );
      printOne(invocation, RotateKeyResponseSchema, response, secretLines(response));
    });
}
