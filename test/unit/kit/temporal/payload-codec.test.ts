import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { describe, expect, test } from "vitest";
import { createPayloadCodec } from "#kit/temporal/payload-codec.ts";

const OLD = "old-key-of-the-tests-of-at-least-32-characters";
const NEW = "new-key-of-the-tests-of-at-least-32-characters";
const at = (workflowId: string) =>
  ({ type: "workflow", namespace: "default", workflowId }) as const;
const step = (workflowId: string) =>
  ({ type: "activity", namespace: "default", workflowId, isLocal: true }) as const;
const clear = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const textOf = (payload: Payload | undefined, name: string): string =>
  Buffer.from(payload?.metadata?.[name] ?? []).toString();

async function through(encodeKeys: readonly string[], decodeKeys: readonly string[]) {
  const sealed = await createPayloadCodec(encodeKeys).encode([clear({ amount: "100" })], at("p1"));
  const [opened] = await createPayloadCodec(decodeKeys).decode(sealed, step("p1"));
  return opened?.data?.length && textOf(opened, "encoding") === "json/plain"
    ? defaultPayloadConverter.fromPayload(opened)
    : "not opened";
}

describe("a payload", () => {
  test("says only its key and its workflow, and comes back as it was", async () => {
    const [sealed] = await createPayloadCodec([NEW]).encode(
      [clear("alice owes 123456789")],
      at("p1"),
    );
    const seen = Buffer.concat(
      Object.values(sealed?.metadata ?? {}).map((one) => Buffer.from(one)),
    );
    expect(textOf(sealed, "encoding")).toBe("binary/encrypted");
    expect(textOf(sealed, "encryption-key-id")).toMatch(/^[0-9a-f]{8}$/);
    expect(`${seen}${Buffer.from(sealed?.data ?? []).toString("latin1")}`).not.toMatch(
      /alice|1234/,
    );
    expect(await through([NEW], [NEW])).toEqual({ amount: "100" });
  });

  test("is another each time, so that equal amounts do not look equal", async () => {
    const codec = createPayloadCodec([NEW]);
    const [one, two] = await codec.encode([clear("100"), clear("100")], at("p1"));
    expect(one?.data).not.toEqual(two?.data);
  });

  test("of one workflow is not read in another's, also when its label is changed", async () => {
    const codec = createPayloadCodec([NEW]);
    const moved = await codec.encode([clear("100")], at("p1"));
    expect(await codec.decode(moved, at("p2"))).toEqual(moved);
    const relabelled = moved.map((one) => ({
      ...one,
      metadata: { ...one.metadata, "workflow-id": Buffer.from("p2") },
    }));
    expect(await codec.decode(relabelled, at("p2"))).toEqual(relabelled);
  });

  test.each([
    ["the first byte", 0],
    ["the nonce", 6],
    ["the text", 20],
    ["the tag", -1],
  ])("with %s changed is passed on unread", async (_, index) => {
    const codec = createPayloadCodec([NEW]);
    const [sealed] = await codec.encode([clear("100")], at("p1"));
    const data = Buffer.from(sealed?.data ?? []);
    const place = index < 0 ? data.length + index : index;
    data.writeUInt8(data.readUInt8(place) ^ 1, place);
    const forged = { ...sealed, data };
    expect(await codec.decode([forged], at("p1"))).toEqual([forged]);
  });

  test("that was never encrypted is taken as it is: histories from before, and Temporal's own command line", async () => {
    const plain = [clear({ requestId: "r" })];
    expect(await createPayloadCodec([NEW]).decode(plain, at("p1"))).toEqual(plain);
  });
});

describe("a key is rotated", () => {
  test("by standing behind the new one, which encrypts, until nothing of it is left", async () => {
    expect(await through([OLD], [NEW, OLD])).toEqual({ amount: "100" });
    expect(await through([NEW, OLD], [NEW])).toEqual({ amount: "100" });
    expect(await through([OLD], [NEW])).toBe("not opened");
    expect(await through([NEW, OLD], [OLD])).toBe("not opened");
  });
});
