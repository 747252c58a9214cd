import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const CACHE = path.join(ROOT, "node_modules", ".cache", "settle", "bundles");

/**
 * Bundles a service's workflows, or takes the bundle of an earlier run: bundling costs 1 to 2 s, so it
 * is done once per content of `services/` (TypeScript only) and lockfile. The cache can be deleted at any time.
 */
export async function workflowBundle(workflowsUrl: string): Promise<{ readonly codePath: string }> {
  const workflowsPath = fileURLToPath(workflowsUrl);
  const codePath = path.join(CACHE, `${await contentHash(workflowsPath)}.cjs`);
  if (await readable(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath: beside("../workflow/payload-converter.ts"),
    failureConverterPath: beside("../workflow/failure-converter.ts"),
    workflowInterceptorModules: [beside("../workflow/interceptors.ts")],
    logger: quiet,
  });
  await mkdir(CACHE, { recursive: true });
  const temporary = `${codePath}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, codePath);
  return { codePath };
}

function beside(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

const quiet = {
  log() {},
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error(message: string, meta?: unknown) {
    process.stderr.write(`${message} ${JSON.stringify(meta ?? {})}\n`);
  },
};

async function contentHash(workflowsPath: string): Promise<string> {
  const hash = createHash("sha256").update(path.relative(ROOT, workflowsPath));
  sources ??= sourcesHash();
  hash.update(await sources);
  return hash.digest("hex").slice(0, 32);
}

/** Once per process, which runs the code it has read. */
let sources: Promise<string> | undefined;

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  const services = path.join(ROOT, "services");
  const files = (await readdir(services, { recursive: true }))
    .filter((file) => bundled(file))
    .sort();
  for (const file of files) hash.update(file).update(await readFile(path.join(services, file)));
  hash.update(await readFile(path.join(ROOT, "package-lock.json")).catch(() => ""));
  return hash.digest("hex");
}

/** Rooms a workflow bundle can reach; a change elsewhere does not make a new bundle. */
function bundled(file: string): boolean {
  return (
    file.endsWith(".ts") &&
    (/[/\\](workflows|domain|pure|workflow)[/\\]/.test(file) ||
      /(contract|reasons)\.ts$/.test(file))
  );
}

async function readable(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}
