import {
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { type Path, pathToString, reflect } from "@bufbuild/protobuf/reflect";
import {
  createValidator,
  type RuntimeError,
  type Validator,
  type Violation,
  violationsToProto,
} from "@bufbuild/protovalidate";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "#gen/google/rpc/error_details_pb.ts";
import { ERROR_DOMAIN } from "./errors.ts";
import { tooLong } from "./list-bounds.ts";

/** Rules in capitals are reasons of their own; all others are INVALID_FIELD. */
const REASON_RULE = /^[A-Z][A-Z0-9_]*$/;
/** A rule of a whole message names its field at the start of its text. */
const NAMED_FIELD = /^([a-z][a-z0-9_.]*): (.+)$/s;
/**
 * gRPC sends errors as trailers, for which clients keep 8 KiB: more than that ends the connection with all its calls.
 * The first few fields in a few words say what to repair next.
 */
const FIELDS_MAX = 8;
const TEXT_MAX = 120;
const MESSAGE_MAX = 1_000;
const DETAIL_BYTES_MAX = 1_024;
/** How deep messages are filled to compile their rules; ours are not deeper. */
const WARM_DEPTH = 4;
/** When rules begin to be compiled and the pause between two RPCs, in milliseconds: whatever else there is to do goes first. */
const WARM_AFTER_MS = 1_000;
const WARM_PAUSE_MS = 5;

/** Refuses requests that break the rules of their proto, before the handler sees them. */
export function validationInterceptor(validator: Validator): Interceptor {
  return (next) => (request) => {
    const check = (message: Message): void => validate(validator, request.method.input, message);
    if (!request.stream) {
      check(request.message);
      return next(request);
    }
    return next({ ...request, message: checked(request.message, check) });
  };
}

async function* checked<T>(
  messages: AsyncIterable<T>,
  check: (message: T) => void,
): AsyncIterable<T> {
  for await (const message of messages) {
    check(message);
    yield message;
  }
}

/** One for the process: services share messages, and each rule is compiled once. */
const validator = createValidator();
const warm = new Set<DescService>();

/**
 * A validator whose rules are compiled soon after: a call before that waits some 90 ms for it, and no start does.
 * A repeat costs nothing.
 */
export function warmValidator(services: readonly DescService[]): Validator {
  const cold = services.filter((service) => !warm.has(service));
  for (const service of cold) warm.add(service);
  warmNext(cold.flatMap(({ methods }) => methods).values(), WARM_AFTER_MS);
  return validator;
}

function warmNext(methods: Iterator<DescMethod>, pauseMs: number): void {
  const pause = setTimeout(() => {
    const { value: method, done } = methods.next();
    if (done === true) return;
    validator.validate(method.input, sample(method.input, WARM_DEPTH));
    warmNext(methods, WARM_PAUSE_MS);
  }, pauseMs);
  // A process that has nothing else to do may end.
  pause.unref();
}

/** A message with every message field set, so that the rules below it are compiled too. */
function sample(desc: DescMessage, depth: number): Message {
  const message = reflect(desc);
  for (const field of depth > 0 ? desc.fields : []) {
    if (field.fieldKind === "message") {
      message.set(field, reflect(field.message, sample(field.message, depth - 1)));
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      message.get(field).add(reflect(field.message, sample(field.message, depth - 1)));
    }
  }
  return message.message;
}

/** Refuses a message that breaks the rules of its proto, with every field that is wrong. */
export function validate(validator: Validator, desc: DescMessage, message: Message): void {
  const longer = tooLong(desc, message);
  if (longer !== undefined) throw longer;
  const found = violationsOf(validator, desc, message);
  if (found === undefined) return;
  const { reason, violations } = found;
  const fields = found.fields.slice(0, FIELDS_MAX).map((violation) => ({
    ...violation,
    field: shortened(violation.field),
    description: shortened(violation.description),
  }));
  const error = new ConnectError(textOf(fields, found.fields.length), Code.InvalidArgument);
  error.details.push(errorInfo(reason), {
    desc: BadRequestSchema,
    value: { fieldViolations: fields },
  });
  const [value, schema] = violationsToProto(violations.slice(0, FIELDS_MAX));
  if (toBinary(schema, value).length <= DETAIL_BYTES_MAX)
    error.details.push({ desc: schema, value });
  throw error;
}

function textOf(
  fields: readonly { readonly field: string; readonly description: string }[],
  found: number,
): string {
  const text = fields.map(({ field, description }) =>
    field ? `${field}: ${description}` : description,
  );
  if (found > fields.length) text.push(`and ${found - fields.length} more`);
  return text.join("; ").slice(0, MESSAGE_MAX);
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > TEXT_MAX ? `${characters.slice(0, TEXT_MAX).join("")}…` : text;
}

/** What is wrong with a message, or undefined when nothing is. Throws when a rule itself is. */
export function violationsOf(validator: Validator, desc: DescMessage, message: Message) {
  const result = validator.validate(desc, message);
  if (result.kind === "error") throw unchecked(result.error);
  if (result.kind === "valid") return undefined;
  const fields = result.violations.map(fieldViolation);
  const own = fields.find(({ reason }) => reason !== "INVALID_FIELD");
  return { reason: own?.reason ?? "INVALID_FIELD", fields, violations: result.violations };
}

/** A rule that cannot be evaluated on this message (an overflow, say) is the message's fault; one that cannot be compiled is ours. */
function unchecked(error: Error): Error {
  if (error.name !== ("RuntimeError" satisfies RuntimeError["name"])) return error;
  const wire = new ConnectError(
    "a field is not valid",
    Code.InvalidArgument,
    undefined,
    undefined,
    error,
  );
  wire.details.push(errorInfo("INVALID_FIELD"));
  return wire;
}

function errorInfo(reason: string) {
  return { desc: ErrorInfoSchema, value: { reason, domain: ERROR_DOMAIN } };
}

function fieldViolation({ field, ruleId, message }: Violation) {
  const reason = REASON_RULE.test(ruleId) ? ruleId : "INVALID_FIELD";
  const named = field.length === 0 ? NAMED_FIELD.exec(message) : null;
  return {
    field: named?.[1] ?? pathText(field, reason),
    description: named?.[2] ?? message,
    reason,
  };
}

/** The rule of an amount stands on the Money field, but is about its number. */
function pathText(path: Path, reason: string): string {
  const text = pathToString(path);
  const last = path.at(-1);
  const isMoney =
    last?.kind === "field" && last.message?.fields.some((f) => f.name === "minor_units");
  return reason === "INVALID_AMOUNT" && isMoney ? `${text}.minor_units` : text;
}
