import { type DescMethod, getOption, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Interceptor } from "@connectrpc/connect";
import { access, Idempotency } from "#gen/common/v1/access_pb.ts";
import { refuseField } from "../refusal.ts";

/** Header that stands for `request_id`, as in the IETF draft: bare, or quoted as a structured field. */
export const IDEMPOTENCY_KEY_HEADER = "idempotency-key";
/** Header that stands for the `etag` of an update; `*` and an absent one ask for no particular version. */
export const IF_MATCH_HEADER = "if-match";

/**
 * Lets HTTP's own headers fill the fields they mean, where the message leaves them empty: `Idempotency-Key` the
 * request_id of every mutation that has one, `If-Match` the etag of every update that has one. Refuses a header that
 * says something else than the field. Runs before validation, so that the rules of the fields hold for headers too.
 */
export function headerAliases(): Interceptor {
  return (next) => (request) => {
    if (request.stream) return next(request);
    const { method, header, message } = request;
    if (takesRequestId(method)) {
      const value = header.get(IDEMPOTENCY_KEY_HEADER);
      if (value !== null)
        fill(method, message, ["request_id"], unquoted(value), IDEMPOTENCY_KEY_HEADER);
    }
    const match = header.get(IF_MATCH_HEADER);
    if (match !== null && match.trim() !== "*") fillEtag(method, message, match.trim());
    return next(request);
  };
}

function takesRequestId(method: DescMethod): boolean {
  return getOption(method, access).idempotency === Idempotency.REQUEST_ID;
}

/** `"abc"` is the structured field's way to write abc. */
function unquoted(value: string): string {
  return /^"(.*)"$/.exec(value.trim())?.[1] ?? value.trim();
}

/** An update names its etag itself, or in the object that it replaces. */
function fillEtag(method: DescMethod, message: Message, value: string): void {
  if (getOption(method, access).idempotency === Idempotency.READ) return;
  const own = method.input.fields.find(({ name }) => name === "etag");
  if (own !== undefined) {
    fill(method, message, ["etag"], value, IF_MATCH_HEADER);
    return;
  }
  const holder = method.input.fields.find(
    (field) =>
      field.fieldKind === "message" &&
      method.name.startsWith("Update") &&
      field.message.fields.some(({ name }) => name === "etag"),
  );
  if (holder !== undefined) fill(method, message, [holder.name, "etag"], value, IF_MATCH_HEADER);
}

/** Sets the string at the path where it is empty; another value there is a contradiction. */
function fill(
  { input }: DescMethod,
  message: Message,
  path: readonly string[],
  value: string,
  header: string,
): void {
  let at = reflect(input, message);
  for (const name of path) {
    const field = at.fields.find((candidate) => candidate.name === name);
    if (field?.fieldKind === "message") {
      // An absent object is refused by the rules of its own field.
      if (!at.isSet(field)) return;
      at = at.get(field);
    } else if (field?.fieldKind === "scalar") {
      const present = at.get(field);
      if (present === value) return;
      if (present !== "") {
        throw refuseField(path.join("."), `is not what the header ${header} says`);
      }
      at.set(field, value);
    }
  }
}
