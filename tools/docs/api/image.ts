import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  createFileRegistry,
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  type DescService,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { exec } from "#tools/provision/exec.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** Anything of a contract that carries a comment. */
export type Commented =
  | DescEnum
  | DescEnumValue
  | DescField
  | DescMessage
  | DescMethod
  | DescOneof
  | DescService;

/** Our contract files, without those of google, grpc and buf, in the order of their names. */
export async function readContract(): Promise<readonly DescFile[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "settle-image-"));
  try {
    const image = path.join(folder, "image.binpb");
    const buf = path.join(ROOT, "node_modules", ".bin", "buf");
    // The code in gen/ has no comments; an image of buf keeps them.
    const built = await exec(buf, ["build", path.join(ROOT, "proto"), "-o", image], {
      timeoutMs: 60_000,
    });
    if (built.code !== 0) throw new Error(`buf build: ${built.stderr}`);
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(image)));
    return [...registry.files]
      .filter(({ proto }) => !/^(google|grpc|buf)\./.test(proto.package))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The comment before a declaration, on one line; empty where there is none. */
export function commentOf(desc: Commented): string {
  const where = pathOf(desc).join(",");
  const location = fileOf(desc).proto.sourceCodeInfo?.location.find(
    (location) => location.path.join(",") === where,
  );
  return (location?.leadingComments ?? "").trim().replaceAll(/\s*\n\s*/g, " ");
}

function fileOf(desc: Commented): DescFile {
  switch (desc.kind) {
    case "enum":
    case "message":
    case "service":
      return desc.file;
    case "enum_value":
      return desc.parent.file;
    case "field":
    case "oneof":
      return desc.parent.file;
    case "rpc":
      return desc.parent.file;
  }
}

/** Where a declaration stands in its file, in the numbers of descriptor.proto. */
function pathOf(desc: Commented): number[] {
  switch (desc.kind) {
    case "message":
      return desc.parent
        ? [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)]
        : [4, desc.file.proto.messageType.indexOf(desc.proto)];
    case "enum":
      return desc.parent
        ? [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)]
        : [5, desc.file.proto.enumType.indexOf(desc.proto)];
    case "enum_value":
      return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)];
    case "service":
      return [6, desc.file.proto.service.indexOf(desc.proto)];
    case "rpc":
      return [...pathOf(desc.parent), 2, desc.parent.proto.method.indexOf(desc.proto)];
    case "field":
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
    case "oneof":
      return [...pathOf(desc.parent), 8, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
  }
}

/** Messages and enums that a message or one of its fields names, itself first, each once, depth first. */
export function typesFrom(
  message: DescMessage,
  seen = new Set<DescMessage | DescEnum>(),
): ReadonlySet<DescMessage | DescEnum> {
  if (seen.has(message)) return seen;
  seen.add(message);
  for (const field of message.fields) {
    if (field.enum) seen.add(field.enum);
    if (field.message) typesFrom(field.message, seen);
  }
  return seen;
}
