import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import type { DescMessage } from "@bufbuild/protobuf";
import { exactJson } from "./message.ts";
import { parseJson } from "./parse.ts";

const ENVELOPE_HEADER_BYTES = 5;
const COMPRESSED = 1;

/** How the JSON of a request comes; undefined when it comes in binary. */
export interface JsonForm {
  /** Most bytes of a message, unpacked; a longer one is passed on as it is, to be refused for its length. */
  readonly bytesMax: number;
  /** Behind a header of flags and length, as in streams and in gRPC. */
  readonly enveloped: boolean;
  readonly compression: string;
}

/** The form by the headers of Connect, gRPC and gRPC-Web. */
export function jsonForm(header: Headers, bytesMax: number): JsonForm | undefined {
  const type = header.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json")
    return {
      bytesMax,
      enveloped: false,
      compression: header.get("content-encoding") ?? "identity",
    };
  if (!type.endsWith("+json")) return undefined;
  const name = type.startsWith("application/connect+")
    ? "connect-content-encoding"
    : "grpc-encoding";
  return { bytesMax, enveloped: true, compression: header.get(name) ?? "identity" };
}

/** The bytes of one message in JSON, with exact whole numbers. Refuses as `exactJson` and `parseJson` do. */
export function exactBytes(desc: DescMessage, bytes: Uint8Array): Uint8Array {
  return Buffer.from(JSON.stringify(exactJson(desc, parseJson(bytes))));
}

/**
 * A request body whose JSON is read strictly before the transport reads it in its own, laxer way. What is too long, or
 * not in the form that the headers say, is passed on as it is: the transport has an answer for that.
 */
export async function* exactBody(
  body: AsyncIterable<Uint8Array>,
  form: JsonForm,
  desc: DescMessage,
): AsyncGenerator<Uint8Array> {
  const most = form.bytesMax + (form.enveloped ? ENVELOPE_HEADER_BYTES : 0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    chunks.push(chunk);
    if (length > most) yield* chunks.splice(0);
  }
  if (length > most) return;
  const bytes = Buffer.concat(chunks);
  yield (form.enveloped ? inEnvelope(bytes, form, desc) : compressed(bytes, form, desc)) ?? bytes;
}

function inEnvelope(bytes: Buffer, form: JsonForm, desc: DescMessage): Uint8Array | undefined {
  if (bytes.byteLength < ENVELOPE_HEADER_BYTES) return undefined;
  const flags = bytes.readUInt8(0);
  const message = bytes.subarray(ENVELOPE_HEADER_BYTES);
  if (message.byteLength !== bytes.readUInt32BE(1)) return undefined;
  const compression = (flags & COMPRESSED) === COMPRESSED ? form.compression : "identity";
  const exact = compressed(message, { ...form, compression }, desc);
  if (exact === undefined) return undefined;
  const header = Buffer.alloc(ENVELOPE_HEADER_BYTES);
  header.writeUInt8(flags);
  header.writeUInt32BE(exact.byteLength, 1);
  return Buffer.concat([header, exact]);
}

/** Undefined when it cannot be unpacked. */
function compressed(
  bytes: Buffer,
  { compression, bytesMax }: JsonForm,
  desc: DescMessage,
): Uint8Array | undefined {
  if (bytes.byteLength === 0) return undefined;
  if (compression === "identity") return exactBytes(desc, bytes);
  const limit = { maxOutputLength: bytesMax };
  let message: Uint8Array;
  try {
    if (compression === "gzip") message = gunzipSync(bytes, limit);
    else if (compression === "br") message = brotliDecompressSync(bytes, limit);
    else return undefined;
  } catch {
    return undefined;
  }
  const exact = exactBytes(desc, message);
  return compression === "gzip" ? gzipSync(exact) : brotliCompressSync(exact);
}

/** The URL of a GET of Connect with exact JSON in it; the same URL when its message is in another form. */
export function exactUrl(desc: DescMessage, url: string): string {
  const parsed = new URL(url);
  const { searchParams } = parsed;
  const text = searchParams.get("message");
  if (text === null || searchParams.get("encoding") !== "json") return url;
  if ((searchParams.get("compression") ?? "identity") !== "identity") return url;
  const base64 = searchParams.get("base64") === "1";
  const bytes = base64 ? Buffer.from(text, "base64url") : Buffer.from(text);
  if (bytes.byteLength === 0) return url;
  const exact = Buffer.from(exactBytes(desc, bytes));
  searchParams.set("message", exact.toString(base64 ? "base64url" : "utf8"));
  return parsed.href;
}
