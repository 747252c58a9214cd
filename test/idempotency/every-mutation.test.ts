import {
  create,
  type DescMethod,
  type DescMethodUnary,
  getOption,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { access, Idempotency, Role } from "#gen/common/v1/access_pb.ts";
import { uuidv7 } from "#kit/ids.ts";
import { reasonOf } from "#kit/rpc/errors.ts";
import { refusalOf } from "#test/support/refusal-of.ts";
import { type Stack, startStack } from "#test/support/stack.ts";
import { SERVICE_DESCRIPTORS } from "#tools/fuzz/services.ts";
import { RECIPES, type Recipe } from "./recipes.ts";

const PARALLEL = 32;
const REPEATABLE: ReadonlySet<Idempotency> = new Set([Idempotency.REQUEST_ID, Idempotency.NAMED]);
const methods = SERVICE_DESCRIPTORS.flatMap(({ name, service }) =>
  service.methods.map((method) => ({ name, method, rpc: `${service.typeName}/${method.name}` })),
);
const withId = methods.filter(({ method }) =>
  REPEATABLE.has(getOption(method, access).idempotency),
);

let stack: Stack;
/** The key of another caller than the tests themselves. */
let secret: string;

beforeAll(async () => {
  stack = await startStack();
  const roles = [Role.MERCHANT, Role.OPERATOR, Role.REVIEWER];
  secret = (await stack.keys.createKey({ subject: "other", roles })).secret;
});

afterAll(() => stack[Symbol.asyncDispose]());

test("every mutation of every service has a recipe, so that a new one is tested too", () => {
  expect(Object.keys(RECIPES).sort()).toEqual(withId.map(({ rpc }) => rpc).sort());
});

describe.each(withId)("$rpc", ({ name, method, rpc }) => {
  const call = async (
    body: Recipe["body"],
    headers: Record<string, string> = {},
  ): Promise<Message> => {
    const transport = createGrpcTransport({ baseUrl: `http://${stack.addresses[name]}` });
    // Mutations are unary; the list of all methods cannot say so.
    const unary = method as DescMethodUnary;
    return (await transport.unary(unary, undefined, 20_000, headers, body)).message;
  };
  const recipe = (key: string): Promise<Recipe> => {
    const make = RECIPES[rpc];
    if (make === undefined) throw new Error(`no recipe for ${rpc}`);
    return make(stack, key);
  };

  test("of 32 calls at once all get one answer, as does a repeat later, and another body is refused", async () => {
    const { body, other } = await recipe(`key-${uuidv7()}`);
    const calls = Array.from({ length: PARALLEL }, () => patiently(() => call(body)));
    const answers = (await Promise.all(calls)).map((answer) => bytesOf(method, answer));
    const again = bytesOf(method, await call(body));
    expect([...new Set([...answers, again])]).toEqual([again]);
    if (other === undefined) return;
    expect(await refusalOf(call(other))).toMatch(
      /^AlreadyExists (REQUEST_ID_REUSED|[A-Z_]+_REUSED)$/,
    );
  });

  test("of a call that differs in any one field the first answer is not given", async () => {
    const key = `field-${uuidv7()}`;
    const { body } = await recipe(key);
    await call(body);
    for (const [field, changed] of variantsOf(method, body, key)) {
      expect(await refusalOf(call(changed)), field).toMatch(REFUSED);
    }
  });

  if (getOption(method, access).idempotency !== Idempotency.REQUEST_ID) return;

  test("an id belongs to its caller: another's call under it is another call", async () => {
    const { body, other } = await recipe(`mine-${uuidv7()}`);
    await call(body);
    if (other === undefined) return;
    const answer = await refusalOf(call(other, { authorization: `Bearer ${secret}` }));
    expect(answer).not.toContain("REUSED");
    // Neither of them took the other's place.
    expect(await refusalOf(call(other))).toMatch(/REUSED$/);
  });

  test("an id of Settle's own services is not to be had", async () => {
    // Refused for its id before anything else is looked at.
    const refused = call({ requestId: "settle:mine" }, { authorization: `Bearer ${secret}` });
    await expect(refused).rejects.toThrow("must not begin with settle:");
  });

  test("the header Idempotency-Key is its request_id", async () => {
    const key = `header-${uuidv7()}`;
    const { body } = await recipe(key);
    const bare = { ...create(method.input, body), requestId: "" };
    const first = bytesOf(method, await call(bare, { "idempotency-key": `"${key}"` }));
    expect(bytesOf(method, await call(body))).toBe(first);
    expect(await refusalOf(call(body, { "idempotency-key": "another" }))).toBe(
      "InvalidArgument INVALID_FIELD",
    );
  });
});

/** Texts that say nothing of money: the ledger keeps the first, and a repeat that words it otherwise is a repeat. */
const LABELS: ReadonlySet<string> = new Set([
  "account.v1.DebitRequest.reference",
  "account.v1.CreditRequest.reference",
  "account.v1.PlaceHoldRequest.reference",
  "account.v1.ReverseRequest.reason",
]);

/** Another body under the id, or one that cannot be: a field's rule or an object that is not there. */
const REFUSED = /^(AlreadyExists [A-Z_]+_REUSED|InvalidArgument \w+|NotFound \w+)$/;

/** The body with one field changed, for each field that says what is asked for and whose values can be made up. */
function variantsOf(
  method: DescMethod,
  body: Recipe["body"],
  key: string,
): readonly (readonly [string, Recipe["body"]])[] {
  return method.input.fields.flatMap((field) => {
    const how = field.name === "request_id" || field.name.startsWith("wait_");
    const message = reflect(method.input, create(method.input, body));
    if (LABELS.has(`${method.input.typeName}.${field.name}`)) return [];
    if (how || message.get(field) === key || field.oneof !== undefined) return [];
    if (field.fieldKind !== "scalar") return [];
    message.set(field, another(message.get(field)));
    return [[field.name, message.message] as const];
  });
}

function another(value: unknown): unknown {
  if (typeof value === "string") return value === "" ? "another" : `${value}x`;
  if (typeof value === "boolean") return !value;
  return typeof value === "bigint" ? value + 1n : Number(value) + 1;
}

/** Repeats while the first call is still running, as the refusal asks for. */
async function patiently(call: () => Promise<Message>): Promise<Message> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (tries > 200 || reasonOf(error) !== "REQUEST_IN_PROGRESS") throw error;
    }
  }
}

/** A run id tells about the call, not about the payment. */
function bytesOf(method: DescMethod, answer: Message): string {
  const compared = "runId" in answer ? { ...answer, runId: "" } : answer;
  return Buffer.from(toBinary(method.output, create(method.output, compared))).toString("hex");
}
