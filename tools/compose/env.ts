import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Writes `<folder>/.env` with a secret for every name that the example leaves empty. False when one is there already: its
 * databases are opened by the secrets of the first one, so it is never written over.
 */
export function writeComposeEnv(folder: string, example: string): boolean {
  const text = readFileSync(example, "utf8").replace(
    /^([A-Z_]+)=$/gm,
    (_, name) => `${name}=${randomBytes(24).toString("hex")}`,
  );
  try {
    writeFileSync(path.join(folder, ".env"), text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
