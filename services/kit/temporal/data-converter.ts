import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import type { BaseConfig } from "../config.ts";
import { createPayloadCodec } from "./payload-codec.ts";

/** How payloads and failures travel; the same for clients and workers. Throws in production where no key says how. */
export function createDataConverter({
  payloadKeys,
  security,
}: Pick<BaseConfig, "payloadKeys" | "security">): DataConverter {
  if (payloadKeys === undefined && security.mode === "production") {
    throw new Error(
      "SETTLE_PAYLOAD_KEYS is not set: Temporal would store amounts and accounts for everybody to read; set one random " +
        "text of at least 32 characters, the same for every service, or none where Temporal's database is as safe as ours",
    );
  }
  return {
    failureConverterPath: fileURLToPath(
      new URL("../workflow/failure-converter.ts", import.meta.url),
    ),
    payloadCodecs: payloadKeys?.length ? [createPayloadCodec(payloadKeys)] : [],
  };
}
