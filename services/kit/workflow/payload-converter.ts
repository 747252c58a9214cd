import type { Payload, SerializationContext } from "@temporalio/common";
import { defaultPayloadConverter, type PayloadConverter } from "@temporalio/workflow";
import type { Undecodable } from "./undecodable.ts";

/**
 * Decodes as Temporal does, but for what somebody sends to a workflow: a signal, update or query whose payload cannot be
 * decoded would fail each workflow task, and nothing else could reach the workflow any more. Its handlers get a marker instead,
 * and `interceptors.ts` drops the message. What an activity answered is ours: there an error is right, because the task is
 * repeated until a worker has the key.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload<T>(payload: Payload, context?: SerializationContext): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload, context);
    } catch (error) {
      if (context?.type !== "workflow") throw error;
      const marker: Undecodable = { undecodable: encodingOf(payload), cause: String(error) };
      return defaultPayloadConverter.fromPayload<T>(defaultPayloadConverter.toPayload(marker));
    }
  },
};

function encodingOf({ metadata }: Payload): string {
  const encoding = metadata?.["encoding"];
  return encoding === undefined || encoding === null
    ? ""
    : String.fromCharCode(...encoding.subarray(0, 64));
}
