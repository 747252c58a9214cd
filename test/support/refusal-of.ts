import { Code, ConnectError } from "@connectrpc/connect";
import { reasonOf } from "#kit/rpc/errors.ts";

/** Code and reason of the refusal of a call, for example `NotFound PAYMENT_NOT_FOUND`, or `no refusal`. */
export async function refusalOf(call: Promise<unknown> | undefined): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ConnectError) return `${Code[error.code]} ${reasonOf(error)}`;
    throw error;
  }
  return "no refusal";
}
