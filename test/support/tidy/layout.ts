import path from "node:path";
import ts from "typescript";
import { isCode, nodes, type Rule, type TextFile } from "./files.ts";

const ROOMS = new Set(["rpc", "application", "domain", "store", "activities", "workflows"]);
const FRONT = new Set([
  "main.ts",
  "service.ts",
  "config.ts",
  "contract.ts",
  "reasons.ts",
  "README.md",
]);
const KIT_ROOMS = new Set([
  "pure",
  "workflow",
  "rpc",
  "temporal",
  "mongo",
  "idempotency",
  "json",
  "list",
  "auth",
  "rest",
]);
/** Files of `rpc/` that are not an RPC: wiring, mapping, a client for own activities, plain HTTP endpoints. */
const RPC_SUPPORT = /^(router|deps|local-client|callbacks?|pages|welcome|([a-z-]+-)?mapping)\.ts$/;
const README_LINES_MAX = 20;

/** `payment` → its files relative to the service's folder. */
function services(files: readonly TextFile[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path: file } of files) {
    const match = /^services\/(?!kit\/)([^/]+)\/(.+)$/.exec(file);
    if (match?.[1] && match[2]) found.set(match[1], [...(found.get(match[1]) ?? []), match[2]]);
  }
  return found;
}

/** The same rooms in every service and no others, so that whoever knows one service knows all. */
export const rooms: Rule = (files) => [
  ...[...services(files)].flatMap(([service, inside]) => [
    ...inside
      .filter(
        (file) => !(file.includes("/") ? ROOMS.has(file.split("/")[0] ?? "") : FRONT.has(file)),
      )
      .map((file) => `services/${service}/${file} is in no known room`),
    ...["main.ts", "service.ts", "config.ts", "reasons.ts", "README.md"]
      .filter((file) => !inside.includes(file))
      .map((file) => `services/${service} has no ${file}`),
    ...["activities", "workflows"]
      .filter((room) => inside.some((file) => file.startsWith(`${room}/`)))
      .filter((room) => !inside.includes(`${room}/index.ts`))
      .map((room) => `services/${service}/${room} has no index.ts`),
  ]),
  ...files
    .map(({ path: file }) => /^services\/kit\/([^/]+)\//.exec(file)?.[1])
    .filter((room) => room !== undefined && !KIT_ROOMS.has(room))
    .map((room) => `services/kit/${room} is no room of the kit`),
];

/** One file per RPC and one RPC per file. */
export const rpcFiles: Rule = (files) =>
  [...services(files)].flatMap(([service, inside]) => {
    const proto = files.filter((file) => file.path.startsWith(`proto/${service}/`));
    const rpcs = proto.flatMap(({ text }) =>
      [...text.matchAll(/^\s*rpc (\w+)/gm)].map((m) => kebab(m[1])),
    );
    const present = inside.filter((file) => file.startsWith("rpc/")).map((file) => file.slice(4));
    return [
      // The edge has no contract of its own: it serves those of all others.
      ...(proto.length === 0 && service !== "edge"
        ? [`services/${service} has no proto/${service}`]
        : []),
      ...rpcs
        .filter((rpc) => !present.includes(`${rpc}.ts`))
        .map((rpc) => `services/${service}/rpc/${rpc}.ts is missing`),
      ...present
        .filter((file) => !RPC_SUPPORT.test(file) && !rpcs.includes(file.replace(/\.ts$/, "")))
        .map((file) => `services/${service}/rpc/${file} is no RPC of ${service}`),
    ];
  });

function kebab(name = ""): string {
  return name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

/** A README of a service fits on a glance. */
export const readmes: Rule = (files) =>
  files
    .filter((file) => /^services\/[^/]+\/README\.md$/.test(file.path))
    .flatMap((file) => {
      const lines = file.text.trimEnd().split("\n").length;
      return lines > README_LINES_MAX
        ? [`${file.path} has ${lines} lines, more than ${README_LINES_MAX}`]
        : [];
    });

/** File names in kebab-case, also between the dots of a test's name. */
export const kebabCase: Rule = (files) =>
  files
    .filter((file) =>
      /^(services|client|tools|test|loadtest|examples|proto|docs)\//.test(file.path),
    )
    .filter((file) => !/(^|\/)(README|ARCHITECTURE)\.md$|\.proto$/.test(file.path))
    .filter(
      (file) =>
        !/^(\.?[a-z0-9]+(-[a-z0-9]+)*)(\.[a-z0-9]+(-[a-z0-9]+)*)*$/.test(
          path.posix.basename(file.path),
        ),
    )
    .map((file) => `${file.path} is not kebab-case`);

/** Every file is reached from a process, a command or a test; what only tests reach is not shipped code. */
export const deadFiles: Rule = (files) => {
  const code = new Map(files.filter(isCode).map((file) => [file.path, file]));
  const named = files
    .filter((file) =>
      /^(package\.json|Dockerfile|docker-compose\.yml|\.ci\/run|vitest\.config\.ts)$/.test(
        file.path,
      ),
    )
    .flatMap(({ text }) =>
      [...text.matchAll(/(?:tools|test|loadtest|services|client)\/[\w./-]+\.(?:ts|mjs|js)/g)].map(
        (m) => m[0],
      ),
    );
  const mains = [...code.keys()].filter((file) =>
    /^(services|tools|examples)\/[^/]+\/main\.ts$|^loadtest\/scenarios\//.test(file),
  );
  const tests = [...code.keys()].filter((file) =>
    /\.test\.ts$|^test\/support\/record-[a-z-]+\.ts$/.test(file),
  );
  const shipped = reach(code, [...named.filter((file) => !file.startsWith("test/")), ...mains]);
  const tested = reach(code, [...named, ...mains, ...tests]);
  return [...code.keys()]
    .filter((file) => !(file.startsWith("test/") ? tested : shipped).has(file))
    .map((file) => `${file} is reached by nothing that runs`);
};

function reach(code: ReadonlyMap<string, TextFile>, roots: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const waiting = [...roots];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const found = code.get(file);
    if (!found || seen.has(file)) continue;
    seen.add(file);
    waiting.push(...references(found));
  }
  return seen;
}

/** Files a file names: imports, and any text that looks like one (`new URL`, workers, child processes). */
function references(file: TextFile): string[] {
  return [...nodes(file)].flatMap((node) => {
    if (!ts.isStringLiteralLike(node) || !/\.(ts|mjs|js)$/.test(node.text)) return [];
    const text = node.text
      .replace(/^#kit\//, "services/kit/")
      .replace(/^#(services|client|tools|test)\//, "$1/");
    const isNear = text.startsWith(".") || !text.includes("/");
    return [isNear ? path.posix.join(path.posix.dirname(file.path), text) : text];
  });
}
