import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Env } from "#kit/config.ts";
import { type DataDir, DataDirError, writeAtomically } from "./data-dir.ts";

/** Secrets of a development stack; made once per data directory, so that a restart accepts old callbacks. */
interface Secrets {
  /** The mock provider signs its callbacks with it. */
  readonly gatewaySecret: string;
}

/** The secrets as the variables services read; what the environment already says stays. */
export async function secretVariables(dataDir: DataDir, env: Env): Promise<Record<string, string>> {
  const { gatewaySecret } = await loadSecrets(path.join(dataDir.path, "secrets.json"));
  const signing = env["SETTLE_GATEWAY_SECRET"] || gatewaySecret;
  return {
    SETTLE_GATEWAY_SECRET: signing,
    SETTLE_GATEWAY_SECRETS: env["SETTLE_GATEWAY_SECRETS"] || signing,
  };
}

async function loadSecrets(file: string): Promise<Secrets> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text !== undefined) return parseSecrets(text, file);
  const secrets: Secrets = { gatewaySecret: randomBytes(32).toString("base64url") };
  await writeAtomically(file, `${JSON.stringify(secrets, undefined, 2)}\n`, 0o600);
  return secrets;
}

function parseSecrets(text: string, file: string): Secrets {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "gatewaySecret" in value) {
      const { gatewaySecret } = value;
      if (typeof gatewaySecret === "string") return { gatewaySecret };
    }
  } catch {
    // Told below: the cause is the same to the reader.
  }
  throw new DataDirError(
    `${file} cannot be read; restore it, or delete it to have new secrets made`,
  );
}
