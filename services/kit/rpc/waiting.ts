import { type DescMethod, isFieldSet, type Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { beginWait, callKey } from "./call.ts";
import { ruleKey } from "./context.ts";

/** From here on a call that may wait counts as waiting, in milliseconds: what is only slow is not free. */
export const WAITS_AFTER_MS = 100;

/** Lets calls that wait for something to happen give up their running places, by what the contract says of them. */
export function waitingInterceptor(afterMs = WAITS_AFTER_MS): Interceptor {
  return (next) => async (request) => {
    const call = request.contextValues.get(callKey);
    const waitsOn = request.contextValues.get(ruleKey)?.waitsOn ?? "";
    if (
      request.stream ||
      call === undefined ||
      !mayWait(waitsOn, request.method, request.message)
    ) {
      return next(request);
    }
    const timer = setTimeout(() => beginWait(call), afterMs);
    return next(request).finally(() => clearTimeout(timer));
  };
}

function mayWait(waitsOn: string, { input }: DescMethod, message: Message): boolean {
  if (waitsOn === "*") return true;
  const field = input.fields.find(({ name }) => name === waitsOn);
  return field !== undefined && isFieldSet(message, field);
}
