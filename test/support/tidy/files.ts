import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

/** A text file of the tree; the path is relative to the root, with forward slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** One house rule: says where the files break it, a sentence each. */
export type Rule = (files: readonly TextFile[]) => string[];

const SKIPPED = new Set([
  "node_modules",
  ".git",
  ".data",
  ".cache",
  "gen",
  "report",
  "fixtures",
  "histories",
]);
const TEXT = /\.(ts|mts|js|mjs|cjs|json|md|proto|ya?ml)$|(^|\/)(Dockerfile|run|LICENSE|\.[a-z]+)$/;

/** Every text file a person wrote. */
export function readTree(root: string): TextFile[] {
  return list(root, "").map((file) => ({
    path: file,
    text: readFileSync(path.join(root, file), "utf8"),
  }));
}

function list(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    // Also a file: in a second working tree .git is one, which names a path of the machine.
    if (SKIPPED.has(entry.name)) return [];
    if (entry.isDirectory()) return list(root, file);
    return entry.isFile() && TEXT.test(entry.name) ? [file] : [];
  });
}

/** Code a person wrote, in any of our languages that TypeScript can parse. */
export function isCode(file: TextFile): boolean {
  return /^(services|client|tools|test|loadtest|examples)\/.*\.(ts|js|mjs)$/.test(file.path);
}

/** Code that runs in production. */
export function isShipped(file: TextFile): boolean {
  return /^(services|client|tools)\/.*\.(ts|mjs)$/.test(file.path);
}

const parsed = new WeakMap<TextFile, ts.SourceFile>();

/** The syntax tree of a file, parsed once. */
export function parse(file: TextFile): ts.SourceFile {
  let source = parsed.get(file);
  if (!source) {
    source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
    parsed.set(file, source);
  }
  return source;
}

/** Every node of a file, parents first. */
export function* nodes(file: TextFile): Generator<ts.Node> {
  const waiting: ts.Node[] = [parse(file)];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node;
    ts.forEachChild(node, (child) => {
      waiting.push(child);
    });
  }
}

/** `path:line` of a node. */
export function at(file: TextFile, node: ts.Node): string {
  const { line } = parse(file).getLineAndCharacterOfPosition(node.getStart());
  return `${file.path}:${line + 1}`;
}

/** A rule about single nodes of certain files; `judge` names what is wrong, or undefined. */
export function nodeRule(
  applies: (file: TextFile) => boolean,
  judge: (node: ts.Node, file: TextFile) => string | undefined,
): Rule {
  return (files) =>
    files.filter(applies).flatMap((file) =>
      [...nodes(file)].flatMap((node) => {
        const wrong = judge(node, file);
        return wrong === undefined ? [] : [`${at(file, node)} ${wrong}`];
      }),
    );
}

/** A rule about single lines of certain files. */
export function lineRule(
  applies: (file: TextFile) => boolean,
  pattern: RegExp,
  wrong: string,
): Rule {
  return (files) =>
    files
      .filter(applies)
      .flatMap((file) =>
        file.text
          .split("\n")
          .flatMap((line, index) =>
            pattern.test(line)
              ? [`${file.path}:${index + 1} ${wrong}: ${line.trim().slice(0, 80)}`]
              : [],
          ),
      );
}
