import { readSecurityConfig, type SecurityConfig } from "./auth/config.ts";
import type { LogLevel } from "./log.ts";
import { parseKeys } from "./seal.ts";

/** The environment a process was started with, or a part of it in a test. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Reads one typed value out of its text; throws a sentence that says what is expected. */
type Parse<T> = (text: string) => T;

/** A setting as a service asks for it. */
export interface SettingRead {
  readonly name: string;
  /** What is expected, with its unit and limits, for people. */
  readonly kind: string;
  /** What is taken when it is not set; undefined where it must be set. */
  readonly fallback: unknown;
}

let observer: ((setting: SettingRead) => void) | undefined;

/** Calls `observe` for every setting that `read` asks for: for docs/configuration.md, which lists them all. */
export function observeSettings(observe: (setting: SettingRead) => void, read: () => void): void {
  observer = observe;
  try {
    read();
  } finally {
    observer = undefined;
  }
}

/**
 * Collects a service's settings from the environment and reports every mistake at once.
 * `finish` throws one error that lists them all.
 */
export class EnvReader {
  readonly #env: Env;
  readonly #mistakes: string[] = [];

  constructor(env: Env) {
    this.#env = env;
  }

  /** A setting with a default; the text is never empty. */
  read<T>(name: string, fallback: T, parse: Parse<T>, kind = "text"): T {
    return this.#read({ name, fallback, kind }, parse, (text) => `${name}=${text}`);
  }

  /** As `read`, for what must never stand in a log: a mistake names the setting and not its text. */
  readHidden<T>(name: string, fallback: T, parse: Parse<T>): T {
    return this.#read({ name, fallback, kind: "secret text" }, parse, () => name);
  }

  #read<T>(
    setting: SettingRead & { readonly fallback: T },
    parse: Parse<T>,
    shown: (text: string) => string,
  ): T {
    const { name, fallback } = setting;
    observer?.(setting);
    const text = this.#env[name];
    if (text === undefined || text === "") return fallback;
    try {
      return parse(text);
    } catch (error) {
      this.#mistakes.push(`${shown(text)}: ${error instanceof Error ? error.message : error}`);
      return fallback;
    }
  }

  text(name: string, fallback: string): string {
    return this.read(name, fallback, (text) => text);
  }

  /** Milliseconds; takes `250ms`, `10s`, `5m`, `24h`, `7d`, or a plain number of milliseconds. */
  durationMs(name: string, fallbackMs: number): number {
    return this.read(name, fallbackMs, parseDurationMs, DURATION);
  }

  /** How long something is kept, in milliseconds; `never` to drop it is infinite. */
  keptMs(name: string, fallbackMs: number): number {
    const parse = (text: string): number =>
      text === "never" ? Number.POSITIVE_INFINITY : parseDurationMs(text);
    return this.read(name, fallbackMs, parse, KEPT);
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const kind = `whole number from ${min} to ${max}`;
    const parse = (text: string): number => {
      const value = Number(text);
      if (Number.isInteger(value) && value >= min && value <= max) return value;
      throw new Error(`expected a ${kind}`);
    };
    return this.read(name, fallback, parse, kind);
  }

  oneOf<const T extends string>(name: string, fallback: T, values: readonly T[]): T {
    const kind = `one of ${values.join(", ")}`;
    const parse = (text: string): T => {
      const found = values.find((value) => value === text);
      if (found === undefined) throw new Error(`expected ${kind}`);
      return found;
    };
    return this.read(name, fallback, parse, kind);
  }

  /** A secret: must be set, has no default, and is never repeated in a mistake. At least 16 characters. */
  secret(name: string): string {
    const kind = `secret text, at least ${SECRET_LENGTH_MIN} characters`;
    observer?.({ name, kind, fallback: undefined });
    const text = this.#env[name] ?? "";
    if (text.length >= SECRET_LENGTH_MIN) return text;
    this.#mistakes.push(
      `${name} ${text === "" ? "is not set" : "is too short"}: expected a secret of at least ` +
        `${SECRET_LENGTH_MIN} characters (a development start makes one by itself)`,
    );
    return "";
  }

  /** Notes what is wrong with settings that are right one by one. */
  mistake(sentence: string): void {
    this.#mistakes.push(sentence);
  }

  /** Throws when any setting read before was wrong. */
  finish(): void {
    if (this.#mistakes.length > 0) {
      throw new Error(`configuration is not valid:\n  ${this.#mistakes.join("\n  ")}`);
    }
  }
}

const SECRET_LENGTH_MIN = 16;
/** Kind of a setting that is a time. */
const DURATION = "duration";
/** Kind of a setting that says how long rows are kept. */
const KEPT = "duration, or never (to drop)";
/** What is kept for its own sake: longer than a year, so that last year's end can be looked at. */
export const KEPT_LONG_MS = 400 * 86_400_000;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads `250ms`, `10s`, `5m`, `24h`, `7d`, or plain milliseconds. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)?$/.exec(text);
  if (!match) throw new Error("expected a duration such as 250ms, 10s, 5m, 24h or 7d");
  return Number(match[1]) * (UNIT_MS[match[2] ?? "ms"] ?? 1);
}

/** Settings every service has; each service's config extends it. */
export interface BaseConfig {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Replica-set connection string. Default `mongodb://127.0.0.1:27017/?directConnection=true`. */
  readonly mongoUri: string;
  /** Begins every database name, so that tests share one mongod. Default `settle`. */
  readonly databasePrefix: string;
  /** Where Temporal is, `host:port`. Default 127.0.0.1:7233. */
  readonly temporalAddress: string;
  /** Namespace of Temporal that the workflows live in. */
  readonly temporalNamespace: string;
  /**
   * Encrypts what Temporal stores: random texts of at least 32 characters, with commas between while one is rotated; the
   * first encrypts, all decrypt. The same for every service. `none`: in the clear. Must be set in production; a
   * development start makes one by itself.
   */
  readonly payloadKeys: readonly string[] | undefined;
  /**
   * How long the answer to a request_id is kept, and so repeated. Create has no such end: a payment keeps its request_id for
   * ever. Default 400 days.
   */
  readonly requestsKeptMs: number;
  /** Least important kind of line that is logged. */
  readonly logLevel: LogLevel;
  /** Who may call, and who this process is to others. */
  readonly security: SecurityConfig;
  /** Base URL of each peer, for example `http://127.0.0.1:8001`. */
  readonly peers: PeerUrls;
}

/** Base URLs of the services others call. */
export interface PeerUrls {
  readonly account: string;
  readonly fraud: string;
  readonly notification: string;
  readonly payment: string;
  readonly gateway: string;
  readonly reporting: string;
  readonly edge: string;
}

/** Name of a service as it stands in addresses, environment variables and `ports.json`. */
export type ServiceName = keyof PeerUrls;

/** Default ports (DESIGN section 2). */
export const DEFAULT_PORTS: Readonly<Record<ServiceName, number>> = {
  account: 8001,
  fraud: 8002,
  notification: 8003,
  payment: 8004,
  reporting: 8005,
  gateway: 8010,
  edge: 8080,
};

/** Reads what every service has in common. `SETTLE_PORT_<NAME>` and `SETTLE_URL_<NAME>` place the services. */
export function readBaseConfig(reader: EnvReader, service: ServiceName): BaseConfig {
  const url = (name: ServiceName): string =>
    reader.text(`SETTLE_URL_${name.toUpperCase()}`, `http://127.0.0.1:${DEFAULT_PORTS[name]}`);
  const host = reader.text("SETTLE_HOST", "127.0.0.1");
  return {
    host,
    security: readSecurityConfig(reader, host),
    port: reader.integer(`SETTLE_PORT_${service.toUpperCase()}`, DEFAULT_PORTS[service], 0, 65_535),
    mongoUri: reader.text("MONGODB_URI", "mongodb://127.0.0.1:27017/?directConnection=true"),
    databasePrefix: reader.text("SETTLE_DATABASE_PREFIX", "settle"),
    temporalAddress: reader.text("TEMPORAL_ADDRESS", "127.0.0.1:7233"),
    temporalNamespace: reader.text("TEMPORAL_NAMESPACE", "default"),
    payloadKeys: reader.readHidden<readonly string[] | undefined>(
      "SETTLE_PAYLOAD_KEYS",
      undefined,
      readPayloadKeys,
    ),
    requestsKeptMs: reader.keptMs("SETTLE_RETENTION_REQUESTS", KEPT_LONG_MS),
    logLevel: reader.oneOf("SETTLE_LOG_LEVEL", "info", [
      "trace",
      "debug",
      "info",
      "warn",
      "error",
      "silent",
    ]),
    peers: {
      account: url("account"),
      fraud: url("fraud"),
      notification: url("notification"),
      payment: url("payment"),
      gateway: url("gateway"),
      reporting: url("reporting"),
      edge: url("edge"),
    },
  };
}

function readPayloadKeys(text: string): readonly string[] {
  return text === "none" ? [] : parseKeys(text, "expected none, or keys");
}
