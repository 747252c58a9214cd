import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Random } from "./random.ts";
import { ODD_JSON, ODD_LIST_TEXTS, ODD_STRINGS, oddNumbers } from "./values.ts";

/** Puts an odd value into one field somewhere in the message; the message still encodes. */
export function mutateField(random: Random, message: ReflectMessage): void {
  const field = message.fields.length > 0 ? random.pick(message.fields) : undefined;
  if (field === undefined) return;
  switch (field.fieldKind) {
    case "message": {
      if (random.chance(0.2)) {
        message.clear(field);
        break;
      }
      const child = message.isSet(field) ? message.get(field) : reflect(field.message);
      mutateField(random, child);
      message.set(field, child);
      break;
    }
    case "enum":
      message.set(field, random.pick([0, 1, 99, -1, 2 ** 31 - 1]));
      break;
    case "scalar":
      message.set(field, oddScalar(random, field));
      break;
    case "list": {
      const list = message.get(field);
      for (let count = random.pick([1, 2, 300]); count > 0; count -= 1) {
        if (field.listKind === "scalar") list.add(oddScalar(random, field));
        else if (field.listKind === "message") list.add(reflect(field.message));
        else list.add(99);
      }
      break;
    }
    case "map":
      for (let count = random.pick([1, 60]); count > 0; count -= 1) {
        if (field.mapKind === "scalar") {
          message.get(field).set(`${random.pick(ODD_STRINGS)}${count}`, random.pick(ODD_STRINGS));
        }
      }
  }
}

function oddScalar(
  random: Random,
  field: DescField & { readonly scalar: ScalarType },
): string | number | bigint | boolean | Uint8Array {
  if (field.scalar === ScalarType.BOOL) return true;
  if (field.scalar === ScalarType.BYTES) return random.bytes(random.int(200));
  if (field.scalar !== ScalarType.STRING) return random.pick(oddNumbers(field.scalar));
  const isList = ["page_token", "filter", "order_by", "resume_token"].includes(field.name);
  return random.pick(isList ? ODD_LIST_TEXTS : ODD_STRINGS);
}

/** Spoils the bytes of a message: what comes out may parse or not. */
export function mutateBinary(random: Random, bytes: Uint8Array): Uint8Array {
  const whole = Buffer.from(bytes);
  const append = (...more: readonly (number | Uint8Array)[]): Buffer =>
    Buffer.concat([
      whole,
      ...more.map((part) => Buffer.from(typeof part === "number" ? [part] : part)),
    ]);
  switch (random.int(13)) {
    case 0:
      return whole.subarray(0, random.int(whole.length + 1));
    case 1: {
      for (let count = 1 + random.int(4); count > 0 && whole.length > 0; count -= 1) {
        const at = random.int(whole.length);
        whole.writeUInt8(whole.readUInt8(at) ^ (1 << random.int(8)), at);
      }
      return whole;
    }
    case 2:
      return random.bytes(random.int(64));
    case 3:
      return append(0x08, 0xff);
    case 4:
      return append(0x08, Buffer.alloc(10, 0xff), 1);
    case 5:
      return append(unknownFields(random));
    case 6:
      return append(0x0b, whole, 0x0c);
    case 7:
      return append(0x0b);
    case 8:
      return nested(1 + random.int(15), random.pick([10, 101, 2_000]));
    case 9:
      return append(brokenText(random));
    case 10:
      return append(whole, whole);
    case 11:
      return append(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f);
    default:
      return append(random.pick([0x00, 0x06, 0x07, 0x0c, 0x0f, 0xf8]));
  }
}

function unknownFields(random: Random): Uint8Array {
  const writer = new BinaryWriter();
  for (let count = 1 + random.int(20); count > 0; count -= 1) {
    const number = random.pick([15, 100, 18_999, 536_870_911]);
    writer.tag(number, WireType.LengthDelimited).bytes(random.bytes(random.int(30)));
  }
  return writer.finish();
}

/** A field in a field in a field; with number 1 or 2 often a message, else unknown. */
function nested(field: number, depth: number): Uint8Array {
  let inner: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth && inner.length < 60_000; level += 1) {
    inner = new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(inner).finish();
  }
  return inner;
}

const BROKEN_TEXT = ["c328", "c080", "eda080", "f4908080", "ff", "e28082c0af", "f0808080"];

/** A string that is no UTF-8: cut off, overlong, a surrogate, out of range. */
function brokenText(random: Random): Uint8Array {
  const text = Buffer.from(random.pick(BROKEN_TEXT), "hex");
  const number = 1 + random.int(9);
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(text).finish();
}

/** Spoils JSON text: an odd value in place of one, a key twice, a wrapper, a cut. */
export function mutateJson(random: Random, json: string): Buffer {
  const values = [...json.matchAll(/:\s*("(?:[^"\\]|\\.)*"|[-\d.]+|true|false|null)/g)];
  switch (random.int(10)) {
    case 0:
      return Buffer.from(json.slice(0, random.int(json.length + 1)));
    case 1:
      return Buffer.from(json.replace("{", `{"__proto__":${random.pick(ODD_JSON)},`));
    case 2:
      return Buffer.from(json.replace("{", `{"requestId":1,"requestId":"b","request_id":"c",`));
    case 3: {
      const depth = random.pick([10, 101, 5_000]);
      return Buffer.from(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
    }
    case 4:
      return Buffer.from(
        random.pick([`[${json}]`, `\ufeff${json}`, `${json}${json}`, `/**/${json}`]),
      );
    case 5:
      return Buffer.concat([Buffer.from(json.slice(0, -1)), random.bytes(4), Buffer.from("}")]);
    case 6:
      return Buffer.from(json, "utf16le");
    default: {
      if (values.length === 0) return Buffer.from(random.pick(ODD_JSON));
      const { index, 0: found } = random.pick(values);
      const value = `:${random.pick(ODD_JSON)}`;
      return Buffer.from(json.slice(0, index) + value + json.slice(index + found.length));
    }
  }
}
