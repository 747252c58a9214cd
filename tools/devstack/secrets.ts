import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Env } from "#kit/config.ts";
import { type DataDir, DataDirError, writeAtomically } from "./data-dir.ts";

/** Secrets of a development stack; made once per data directory, so that a restart accepts old callbacks. */
interface Secrets {
  /** The mock provider signs its callbacks with it. */
  readonly gatewaySecret: string;
  /** Services know each other by it. */
  readonly serviceKey: string;
}

/** The secrets as the variables services read; what the environment already says stays. */
export async function secretVariables(dataDir: DataDir, env: Env): Promise<Record<string, string>> {
  const { gatewaySecret, serviceKey } = await loadSecrets(path.join(dataDir.path, "secrets.json"));
  const signing = env["SETTLE_GATEWAY_SECRET"] || gatewaySecret;
  return {
    SETTLE_GATEWAY_SECRET: signing,
    SETTLE_GATEWAY_SECRETS: env["SETTLE_GATEWAY_SECRETS"] || signing,
    SETTLE_SERVICE_KEY: env["SETTLE_SERVICE_KEY"] || serviceKey,
  };
}

async function loadSecrets(file: string): Promise<Secrets> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const known = text === undefined ? {} : parseSecrets(text, file);
  const secrets: Secrets = {
    gatewaySecret: known.gatewaySecret ?? randomBytes(32).toString("base64url"),
    serviceKey: known.serviceKey ?? randomBytes(32).toString("base64url"),
  };
  // A data directory of an older version lacks some of them.
  if (known.gatewaySecret === undefined || known.serviceKey === undefined) {
    await writeAtomically(file, `${JSON.stringify(secrets, undefined, 2)}\n`, 0o600);
  }
  return secrets;
}

function parseSecrets(text: string, file: string): Partial<Secrets> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "gatewaySecret" in value) {
      const { gatewaySecret } = value;
      const serviceKey = "serviceKey" in value ? value.serviceKey : undefined;
      if (typeof gatewaySecret === "string") {
        return { gatewaySecret, ...(typeof serviceKey === "string" ? { serviceKey } : {}) };
      }
    }
  } catch {
    // Told below: the cause is the same to the reader.
  }
  throw new DataDirError(
    `${file} cannot be read; restore it, or delete it to have new secrets made`,
  );
}
