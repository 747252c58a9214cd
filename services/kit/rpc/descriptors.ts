import { type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** What reflection can be asked about: files by name, by a symbol in them, and extensions. */
export interface DescriptorIndex {
  fileByName(name: string): DescFile | undefined;
  /** The file that defines a message, enum, enum value, field, oneof, extension, service or method. */
  fileOfSymbol(symbol: string): DescFile | undefined;
  fileOfExtension(extendee: string, number: number): DescFile | undefined;
  /** Numbers of the known extensions of a message, or undefined when the message is not known. */
  extensionNumbers(extendee: string): number[] | undefined;
}

/** Indexes files and everything they import. */
export function indexDescriptors(roots: readonly DescFile[]): DescriptorIndex {
  const files = new Map<string, DescFile>();
  for (const root of roots) {
    for (const file of withDependencies(root)) files.set(file.proto.name, file);
  }
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of files.values()) {
    for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
    for (const type of nestedTypes(file)) {
      if (type.kind === "message") at(extensions, type.typeName);
      if (type.kind === "extension") at(extensions, type.extendee.typeName).set(type.number, file);
    }
  }
  return {
    fileByName: (name) => files.get(name),
    fileOfSymbol: (symbol) => symbols.get(symbol.replace(/^\./, "")),
    fileOfExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers: (extendee) => {
      const numbers = extensions.get(extendee);
      return numbers && [...numbers.keys()].sort((a, b) => a - b);
    },
  };
}

function at(
  extensions: Map<string, Map<number, DescFile>>,
  typeName: string,
): Map<number, DescFile> {
  let known = extensions.get(typeName);
  if (known === undefined) {
    known = new Map();
    extensions.set(typeName, known);
  }
  return known;
}

/** The file first, then all it imports, however far away: a client needs no second question. */
export function withDependencies(file: DescFile, seen = new Set<DescFile>()): DescFile[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return [file, ...file.dependencies.flatMap((dependency) => withDependencies(dependency, seen))];
}

/** Serialized FileDescriptorProtos of a file and all it imports. */
export function serialized(file: DescFile): Uint8Array[] {
  return withDependencies(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
}

function* symbolsOf(file: DescFile): Iterable<string> {
  for (const type of nestedTypes(file)) {
    yield type.typeName;
    switch (type.kind) {
      case "message":
        yield* memberNames(type);
        break;
      case "enum": {
        // Values of an enum live beside it, not in it.
        const scope = type.typeName.slice(0, -type.name.length);
        for (const value of type.values) yield `${scope}${value.name}`;
        break;
      }
      case "service":
        for (const method of type.methods) yield `${type.typeName}.${method.name}`;
    }
  }
}

function memberNames(message: DescMessage): string[] {
  return [...message.fields, ...message.oneofs].map(({ name }) => `${message.typeName}.${name}`);
}
