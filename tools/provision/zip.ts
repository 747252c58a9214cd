import { createWriteStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";

/** One file of a zip archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** The end record is 22 bytes and a comment of at most 64 KiB. */
const TAIL_MAX = 22 + 65_535;

/**
 * Unpacks the one file with that base name to `target` and checks its checksum. Wheels are zip archives; this
 * reads what they use (stored or deflated, below 4 GiB), so that neither unzip nor Python is needed for it.
 */
export async function unzipFile(archive: string, baseName: string, target: string): Promise<void> {
  await using file = await open(archive, "r");
  const entries = await readDirectory(file);
  const found = entries.filter(
    (entry) => !entry.name.endsWith("/") && path.posix.basename(entry.name) === baseName,
  );
  const [entry] = found;
  if (entry === undefined || found.length > 1) {
    throw new Error(`${archive} holds ${found.length} files named ${baseName}, expected one`);
  }
  await unpack(file, entry, target);
}

async function readDirectory(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - TAIL_MAX), Math.min(size, TAIL_MAX));
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_OF_DIRECTORY) continue;
    const length = tail.readUInt32LE(at + 12);
    const offset = tail.readUInt32LE(at + 16);
    return parseDirectory(await readAt(file, offset, length), tail.readUInt16LE(at + 10));
  }
  throw new Error("not a zip archive, or cut off");
}

function parseDirectory(bytes: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    if (bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error("zip directory is damaged");
    const nameLength = bytes.readUInt16LE(at + 28);
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packedSize: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      headerOffset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

async function unpack(file: FileHandle, entry: ZipEntry, target: string): Promise<void> {
  if (entry.method !== 0 && entry.method !== 8) {
    throw new Error(`${entry.name} is packed by method ${entry.method}, which is not read here`);
  }
  const header = await readAt(file, entry.headerOffset, 30);
  if (header.readUInt32LE(0) !== LOCAL_HEADER) throw new Error("zip entry is damaged");
  const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  let crc = 0;
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      done(undefined, chunk);
    },
  });
  await pipeline(
    file.createReadStream({ start, end: start + entry.packedSize - 1, autoClose: false }),
    entry.method === 8 ? createInflateRaw() : new PassThrough(),
    check,
    createWriteStream(target),
  );
  if (crc !== entry.crc || size !== entry.size)
    throw new Error(`${entry.name} is damaged in the archive`);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead < length) throw new Error("zip archive is cut off");
  return bytes;
}
