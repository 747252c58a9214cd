import { createRequire } from "node:module";
import path from "node:path";
import { cruise } from "dependency-cruiser";

const ROOT = path.resolve(import.meta.dirname, "../..");
const BEGIN = "<!-- modules: written by `npm run docs` -->";
const END = "<!-- end of modules -->";

/** ARCHITECTURE.md with the picture of the rooms as the imports draw it now. */
export async function withModulePicture(page: string): Promise<string> {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`ARCHITECTURE.md has no ${BEGIN} … ${END}`);
  const picture = ["```mermaid", "flowchart TD", ...(await roomEdges()), "```", ""].join("\n");
  return `${page.slice(0, begin + BEGIN.length)}\n${picture}${page.slice(end)}`;
}

/** Which room imports which, over all services at once: a dotted line where it takes types only. */
async function roomEdges(): Promise<string[]> {
  const { options } = createRequire(import.meta.url)(path.join(ROOT, ".dependency-cruiser.cjs"));
  const { output } = await cruise(
    ["services"],
    {
      baseDir: ROOT,
      tsPreCompilationDeps: true,
      doNotFollow: options.doNotFollow,
      includeOnly: { path: "^services/" },
    },
    options.enhancedResolveOptions,
  );
  if (typeof output === "string") throw new Error("dependency-cruiser answered text, not a result");
  const values = new Set<string>();
  const types = new Set<string>();
  for (const { source, dependencies } of output.modules) {
    for (const { resolved, dependencyTypes } of dependencies) {
      const [from, to] = [roomOf(source), roomOf(resolved)];
      if (from === to || from === "kit" || to === "kit") continue;
      (dependencyTypes.includes("type-only") ? types : values).add(`${from} -> ${to}`);
    }
  }
  const dotted = [...types].filter((edge) => !values.has(edge));
  return [
    ...[...values].map((edge) => `  ${edge.replace("->", "-->")}`),
    ...dotted.map((edge) => `  ${edge.replace("->", "-.->")}`),
  ].sort();
}

/** `services/payment/rpc/create.ts` → `rpc`, `services/payment/contract.ts` → `contract`. */
function roomOf(file: string): string {
  const [, service, room = ""] = file.split("/");
  return service === "kit" ? "kit" : room.replace(/\.ts$/, "");
}
