import type { Payload, PayloadCodec, SerializationContext } from "@temporalio/common";
import proto from "@temporalio/proto";
import { createSealer, KEY_ID_BYTES, SealBroken, type Sealer } from "../seal.ts";

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** What Temporal's own samples name it, so that its UI asks for it to be decoded. */
const ENCRYPTED = "binary/encrypted";

/**
 * Keeps what workflows and steps say to each other unreadable where Temporal stores it: AES-256-GCM, each payload bound to
 * the id of its workflow, so that none can be put into another's history. The first key encrypts, all decrypt.
 *
 * A payload that does not open is passed on as it is: what somebody sent to a workflow is dropped there (see
 * `workflow/payload-converter.ts`), and what is ours fails the task, which is repeated until a worker has the key. One that
 * was never encrypted is taken as it is: histories from before, and people who use Temporal's own command line.
 */
export function createPayloadCodec(keys: readonly string[]): PayloadCodec {
  const sealer = createSealer(keys);
  return {
    encode: async (payloads, context) => payloads.map((one) => encrypt(sealer, one, context)),
    decode: async (payloads, context) => payloads.map((one) => decrypt(sealer, one, context)),
  };
}

function encrypt(sealer: Sealer, payload: Payload, context?: SerializationContext): Payload {
  const workflowId = context?.workflowId ?? "";
  const sealed = sealer.seal(PayloadMessage.encode(payload).finish(), workflowId);
  return {
    metadata: {
      encoding: Buffer.from(ENCRYPTED),
      "encryption-key-id": Buffer.from(sealed.subarray(0, KEY_ID_BYTES).toString("hex")),
      // Not secret, and proven by the seal: the codec endpoint is asked without it.
      "workflow-id": Buffer.from(workflowId),
    },
    data: sealed,
  };
}

function decrypt(sealer: Sealer, payload: Payload, context?: SerializationContext): Payload {
  if (textOf(payload, "encoding") !== ENCRYPTED) return payload;
  const place = textOf(payload, "workflow-id");
  if (context?.workflowId !== undefined && context.workflowId !== place) return payload;
  try {
    return PayloadMessage.decode(sealer.open(payload.data ?? new Uint8Array(), place));
  } catch (error) {
    if (error instanceof SealBroken) return payload;
    throw error;
  }
}

function textOf({ metadata }: Payload, name: string): string {
  const value = metadata?.[name];
  return value ? Buffer.from(value).toString() : "";
}
