import type { Exec } from "./exec.ts";
import type { ToolSpec } from "./tools.ts";

/** Whether a program runs here and is the tool it should be. */
export type SmokeResult =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly why: string };

/** Debian's package for a library that a slim system may lack. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  "libcurl.so.4": "libcurl4",
  "libssl.so.3": "libssl3",
  "libcrypto.so.3": "libssl3",
  "liblzma.so.5": "liblzma5",
};

/** Runs the tool once and reads its version; a failure says which library is missing, where that is the cause. */
export async function smokeTest(spec: ToolSpec, file: string, exec: Exec): Promise<SmokeResult> {
  const result = await exec(file, spec.smoke.args, { timeoutMs: 20_000 });
  const output = `${result.stdout}\n${result.stderr}`;
  // A program that did not start (-1) says nothing about itself, whatever the error's text looks like.
  const match = result.code === -1 ? null : spec.smoke.pattern.exec(output);
  if (match !== null) return { ok: true, version: match[1] ?? "" };
  const library = /error while loading shared libraries: (\S+):/.exec(output)?.[1];
  if (library !== undefined) {
    const debian = PACKAGE_OF[library];
    const advice = debian === undefined ? "" : ` (on Debian and Ubuntu: apt-get install ${debian})`;
    return { ok: false, why: `it needs ${library}, which this system does not have${advice}` };
  }
  const said = output.trim().split("\n").slice(-2).join(" ").slice(0, 200);
  return {
    ok: false,
    why: `"${spec.smoke.args.join(" ")}" did not answer as expected: ${said || "no output"}`,
  };
}
