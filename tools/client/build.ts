import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { exec } from "#tools/provision/exec.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** What the package has besides the compiled code: its package.json and its README. */
const PACKAGE = path.join(ROOT, "client", "package");
const BUILD_TIMEOUT_MS = 5 * 60_000;
const PACK_TIMEOUT_MS = 60_000;

/**
 * Compiles the client, and the generated code it needs, to JavaScript and declarations and packs them into `folder`.
 * Works in a folder of its own, so that two builds never meet and nothing is left in the tree.
 * Returns the path of the tarball.
 */
export async function buildClient(folder: string): Promise<string> {
  const stage = await mkdtemp(path.join(tmpdir(), "settle-client-"));
  try {
    await copySources(stage);
    await compile(stage);
    const packed = path.join(stage, "package");
    await cp(PACKAGE, packed, { recursive: true });
    await cp(path.join(ROOT, "LICENSE"), path.join(packed, "LICENSE"));
    await mkdir(folder, { recursive: true });
    const args = ["pack", packed, "--pack-destination", folder, "--silent"];
    const name = (await run("npm", args, PACK_TIMEOUT_MS)).trim().split("\n").at(-1) ?? "";
    return path.join(folder, name);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** `#gen/…` belongs to this repository's package.json: in the package the generated code is a neighbour. */
async function copySources(stage: string): Promise<void> {
  await cp(path.join(ROOT, "gen"), path.join(stage, "gen"), { recursive: true });
  await mkdir(path.join(stage, "client"));
  for (const name of await readdir(path.join(ROOT, "client"))) {
    if (!name.endsWith(".ts")) continue;
    const text = await readFile(path.join(ROOT, "client", name), "utf8");
    await writeFile(path.join(stage, "client", name), text.replaceAll('"#gen/', '"../gen/'));
  }
  await symlink(path.join(ROOT, "node_modules"), path.join(stage, "node_modules"));
}

async function compile(stage: string): Promise<void> {
  const dist = path.join(stage, "package", "dist");
  const config = {
    extends: path.join(ROOT, "tsconfig.json"),
    compilerOptions: {
      target: "es2022",
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: stage,
      outDir: dist,
      typeRoots: [path.join(ROOT, "node_modules", "@types")],
    },
    include: [],
    files: ["client/index.ts", "client/browser.ts"],
  };
  await writeFile(path.join(stage, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(path.join(stage, "tsconfig.json"), JSON.stringify(config));
  const tsc = path.join(ROOT, "node_modules", ".bin", "tsc");
  await run(tsc, ["-p", stage], BUILD_TIMEOUT_MS);
  for (const file of await readdir(dist, { recursive: true })) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await readFile(path.join(dist, file), "utf8");
    await writeFile(path.join(dist, file), declaration(file, text));
  }
}

/**
 * TypeScript leaves the `.ts` of an import in declarations, and a project need not have switched on the library
 * that knows `Disposable`.
 */
function declaration(file: string, text: string): string {
  const resolved = text.replaceAll(/((?:from |import\()"\.[^"]+)\.ts"/g, '$1.js"');
  return path.basename(file) === "create-client.d.ts"
    ? `/// <reference lib="esnext.disposable" />\n${resolved}`
    : resolved;
}

async function run(program: string, args: readonly string[], timeoutMs: number): Promise<string> {
  const { code, stdout, stderr } = await exec(program, args, { timeoutMs });
  if (code !== 0) throw new Error(`${path.basename(program)} ${args[0]}: ${stdout}${stderr}`);
  return stdout;
}
