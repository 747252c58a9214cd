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
  /** Secrets rest sealed by it. */
  readonly sealingKey: string;
  /** What Temporal stores is encrypted by it. */
  readonly payloadKey: string;
}

const NAMES = [
  "gatewaySecret",
  "serviceKey",
  "sealingKey",
  "payloadKey",
] as const satisfies (keyof Secrets)[];

/** The secrets as the variables services read; what the environment already says stays. */
export async function secretVariables(dataDir: DataDir, env: Env): Promise<Record<string, string>> {
  const { gatewaySecret, serviceKey, sealingKey, payloadKey } = await loadSecrets(
    path.join(dataDir.path, "secrets.json"),
  );
  const signing = env["SETTLE_GATEWAY_SECRET"] || gatewaySecret;
  return {
    SETTLE_GATEWAY_SECRET: signing,
    SETTLE_GATEWAY_SECRETS: env["SETTLE_GATEWAY_SECRETS"] || signing,
    SETTLE_SERVICE_KEY: env["SETTLE_SERVICE_KEY"] || serviceKey,
    SETTLE_SEALING_KEY: env["SETTLE_SEALING_KEY"] || sealingKey,
    SETTLE_PAYLOAD_KEYS: env["SETTLE_PAYLOAD_KEYS"] || payloadKey,
  };
}

async function loadSecrets(file: string): Promise<Secrets> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const known = text === undefined ? {} : parseSecrets(text, file);
  const secret = (name: keyof Secrets): string =>
    known[name] ?? randomBytes(32).toString("base64url");
  const secrets: Secrets = {
    gatewaySecret: secret("gatewaySecret"),
    serviceKey: secret("serviceKey"),
    sealingKey: secret("sealingKey"),
    payloadKey: secret("payloadKey"),
  };
  // A data directory of an older version lacks some of them.
  if (NAMES.some((name) => known[name] === undefined)) {
    await writeAtomically(file, `${JSON.stringify(secrets, undefined, 2)}\n`, 0o600);
  }
  return secrets;
}

function parseSecrets(text: string, file: string): Partial<Secrets> {
  try {
    const value: unknown = JSON.parse(text);
    const found = new Map<string, unknown>(Object.entries(Object(value)));
    const known = NAMES.filter((name) => typeof found.get(name) === "string");
    if (known.includes("gatewaySecret")) {
      return Object.fromEntries(known.map((name) => [name, String(found.get(name))]));
    }
  } catch {
    // Told below: the cause is the same to the reader.
  }
  throw new DataDirError(
    `${file} cannot be read; restore it, or delete it to have new secrets made`,
  );
}
