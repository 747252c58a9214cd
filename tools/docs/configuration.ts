import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Env, observeSettings, type SettingRead } from "#kit/config.ts";
import { type Meanings, meaningsIn } from "./setting-meanings.ts";
import { TOOL_SETTINGS } from "./tool-settings.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A setting of the services, as the page shows it. */
export interface ServiceSetting extends SettingRead {
  readonly services: readonly string[];
  readonly meaning: string;
}

/** Every setting that the services read, found by letting each read its configuration from an empty environment. */
export async function serviceSettings(): Promise<readonly ServiceSetting[]> {
  const meanings = meaningsIn();
  const found = new Map<string, ServiceSetting>();
  const services = readdirSync(path.join(ROOT, "services")).filter((name) => name !== "kit");
  for (const service of services.sort()) {
    for (const setting of await readBy(service)) {
      const before = found.get(setting.name);
      const meaning = meaningOf(meanings, setting.name, service);
      found.set(setting.name, {
        ...(before ?? { ...setting, meaning }),
        services: [...(before?.services ?? []), service],
      });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readBy(service: string): Promise<readonly SettingRead[]> {
  const file = path.join(ROOT, "services", service, "config.ts");
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
  const read = Object.entries(module).find(([name]) => /^read\w+Config$/.test(name))?.[1];
  if (typeof read !== "function")
    throw new Error(`services/${service}/config.ts has no read…Config`);
  const settings = new Map<string, SettingRead>();
  // What is read past the EnvReader is a setting, too.
  const env: Env = new Proxy<Record<string, string>>(
    {},
    {
      get(_, name) {
        const raw = { name: String(name), kind: "text", fallback: undefined };
        if (!settings.has(raw.name)) settings.set(raw.name, raw);
        return undefined;
      },
    },
  );
  observeSettings(
    (setting) => void settings.set(setting.name, setting),
    () => {
      try {
        read(env);
      } catch {
        // An empty environment lacks secrets; by then every setting was asked for.
      }
    },
  );
  return [...settings.values()];
}

/** By the field the setting fills, else by the comment where it is read. `SETTLE_PORT_EDGE` is meant by `SETTLE_PORT_`. */
function meaningOf(meanings: Meanings, name: string, service: string): string {
  const own = meanings.get(`${service} ${name}`) ?? meanings.get(`kit ${name}`);
  if (own !== undefined) return own;
  const family = /^SETTLE_(PORT|URL)_/.exec(name)?.[1];
  if (family === "PORT") return "Port of the service; 0 takes a free one.";
  if (family === "URL") return "Address of that service, as others reach it.";
  return "";
}

/** Names of settings that a source reads: what is a whole string literal, and nothing inside a sentence. */
export function settingsNamedIn(text: string): readonly string[] {
  const literals = text.matchAll(
    /["'](SETTLE_[A-Z0-9_]*[A-Z0-9]|MONGODB_URI|TEMPORAL_[A-Z_]+)["']/g,
  );
  // A reason of ours, not a setting.
  return [...literals]
    .map((match) => match[1] ?? "")
    .filter((name) => name !== "TEMPORAL_UNAVAILABLE");
}

/** docs/configuration.md, as the code says. */
export function configurationPage(settings: readonly ServiceSetting[]): string {
  const every = new Set(settings.flatMap(({ services }) => services)).size;
  const rows = settings.map(({ name, kind, fallback, services, meaning }) =>
    row([
      `\`${name}\``,
      kind,
      shown(kind, fallback),
      services.length === every ? "all" : services.join(", "),
      meaning,
    ]),
  );
  const tools = TOOL_SETTINGS.map(({ name, fallback, tools: readers, meaning }) =>
    row([`\`${name}\``, fallback, readers, meaning]),
  );
  return `# Configuration

<!-- Written by \`npm run docs\` from the code that reads the settings; test/contract/configuration.test.ts compares. -->

Everything is set by environment variables. A service reads them once, at its start, and names every mistake in one error. An empty
value counts as not set. A **duration** is \`250ms\`, \`10s\`, \`5m\`, \`24h\`, \`7d\`, or a plain number of milliseconds. Amounts are in
minor units. \`npm start\` passes what is set on to the services and makes the secrets that are missing.
Defaults are those of development; in production \`SETTLE_RATE_PER_SECOND\` is 200, the burst twice that and
\`SETTLE_IN_FLIGHT\` 256 ([security](security.md)).

## Services

| setting | expected | default | services | meaning |
|---|---|---|---|---|
${rows.join("\n")}

## Commands

What \`npm start\`, \`settle\` and the tests read besides.

| setting | default | read by | meaning |
|---|---|---|---|
${tools.join("\n")}
`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function shown(kind: string, fallback: unknown): string {
  if (typeof fallback === "number")
    return kind === "duration" ? duration(fallback) : String(fallback);
  if (typeof fallback === "string") return fallback === "" ? "none" : `\`${fallback}\``;
  if (Array.isArray(fallback) && fallback.length > 0) return `\`${fallback.join(",")}\``;
  if (typeof fallback === "boolean") return String(fallback);
  return "none";
}

function duration(ms: number): string {
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };
  const unit = Object.entries(units).find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}
