import {
  clone,
  create,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import { access, Idempotency } from "#gen/common/v1/access_pb.ts";

/**
 * Whether a second try can do no harm, as the contract declares it: it changes nothing, it has a key (by then
 * `withKey` has set a missing `request_id`), or its effect is the same however often it runs.
 */
export function isRepeatable(method: DescMethod): boolean {
  if (method.idempotency === Level.NO_SIDE_EFFECTS || method.idempotency === Level.IDEMPOTENT)
    return true;
  return (
    hasOption(method, access) && getOption(method, access).idempotency !== Idempotency.UNSPECIFIED
  );
}

/** The request with a `request_id` where the RPC takes one and the caller set none. The caller's object stays as it is. */
export function withKey<I extends DescMessage>(
  schema: I,
  input: MessageInitShape<I>,
): MessageShape<I> {
  const message = clone(schema, create(schema, input));
  const field = schema.fields.find(({ name }) => name === "request_id");
  if (!field) return message;
  const reflected = reflect(schema, message);
  if (reflected.get(field) === "") reflected.set(field, randomId());
  return message;
}

/** A UUID of version 4. `randomUUID` is missing on pages that came without TLS, `getRandomValues` never is. */
function randomId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
