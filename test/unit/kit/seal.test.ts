import { describe, expect, test } from "vitest";
import { EnvReader } from "#kit/config.ts";
import { createSealer, readSealer, SealBroken } from "#kit/seal.ts";

const OLD = "an-old-key-of-at-least-thirty-two-characters";
const NEW = "a-new-key-of-at-least-thirty-two-characters";
const clear = Buffer.from("whsec_hello");

describe("what is sealed", () => {
  test("opens where it was sealed for, and does not show what it holds", () => {
    const sealer = createSealer([NEW]);
    const sealed = sealer.seal(clear, "here");
    expect(sealed.includes(clear)).toBe(false);
    expect(sealer.open(sealed, "here")).toEqual(clear);
    expect(sealer.seal(clear, "here")).not.toEqual(sealed);
    expect(() => sealer.open(sealed, "there")).toThrow(SealBroken);
  });

  test("does not open when any byte of it was changed or is missing", () => {
    const sealer = createSealer([NEW]);
    const sealed = sealer.seal(clear, "here");
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(sealed.readUInt8(at) ^ 1, at);
      expect(() => sealer.open(changed, "here"), `byte ${at}`).toThrow(SealBroken);
      expect(() => sealer.open(sealed.subarray(0, at), "here"), `length ${at}`).toThrow(SealBroken);
    }
  });

  test("opens after the key was rotated as long as the old one is named, and not after that", () => {
    const sealed = createSealer([OLD]).seal(clear, "here");
    expect(createSealer([NEW, OLD]).open(sealed, "here")).toEqual(clear);
    expect(() => createSealer([NEW]).open(sealed, "here")).toThrow("not configured");
  });
});

test("a derived secret depends on its name and the first key only", () => {
  const { derive } = createSealer([NEW, OLD]);
  expect(derive("a")).toEqual(createSealer([NEW]).derive("a"));
  expect(derive("a")).toHaveLength(32);
  expect(derive("a")).not.toEqual(derive("b"));
  expect(derive("a")).not.toEqual(createSealer([OLD]).derive("a"));
});

test.each([{}, { SETTLE_SEALING_KEY: "secret-but-short" }])(
  "without a good key a service does not start, and the mistake does not show it",
  (env) => {
    const reader = new EnvReader(env);
    readSealer(reader);
    expect(() => reader.finish()).toThrow("SETTLE_SEALING_KEY");
    expect(() => reader.finish()).not.toThrow("secret-but-short");
  },
);
