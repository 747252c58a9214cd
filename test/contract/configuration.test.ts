import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { EnvReader, observeSettings, type SettingRead } from "#kit/config.ts";
import {
  configurationPage,
  type ServiceSetting,
  serviceSettings,
  settingsNamedIn,
} from "#tools/docs/configuration.ts";
import { sourcesOf } from "#tools/docs/sources.ts";
import { TOOL_SETTINGS } from "#tools/docs/tool-settings.ts";

const PAGE = path.resolve(import.meta.dirname, "../../docs/configuration.md");
/** Sources that name settings without being who reads them. */
const NOT_READERS = /^tools\/(docs|fuzz|bench)\//;

let settings: readonly ServiceSetting[];
beforeAll(async () => {
  settings = await serviceSettings();
});

function namedIn(folder: string, extra: ReadonlyMap<string, string> = new Map()): Set<string> {
  const sources = [...sourcesOf(folder), ...extra];
  return new Set(
    sources
      .filter(([file]) => !NOT_READERS.test(file))
      .flatMap(([, text]) => settingsNamedIn(text)),
  );
}

/** What the services' code reads by name and the page does not list. */
function unlisted(extra?: ReadonlyMap<string, string>): string[] {
  const listed = new Set(settings.map(({ name }) => name));
  return [...namedIn("services", extra)].filter((name) => !listed.has(name));
}

/** What a list has and no code reads. Names of ports and addresses are put together from the service's name. */
function unread(names: readonly string[], folder: string): string[] {
  const read = namedIn(folder);
  return names.filter((name) => !read.has(name) && !/^SETTLE_(PORT|URL)_[A-Z]+$/.test(name));
}

describe("docs/configuration.md", () => {
  test("is what npm run docs writes, so that nobody edits it by hand", () => {
    expect(readFileSync(PAGE, "utf8")).toBe(configurationPage(settings));
  });

  test("lists every setting that a service reads, and a planted one is missed", () => {
    expect(unlisted()).toEqual([]);
    const planted = new Map([["services/x.ts", 'reader.text("SETTLE_PLANTED", "")']]);
    expect(unlisted(planted)).toEqual(["SETTLE_PLANTED"]);
  });

  test("lists no setting that no service reads, and a planted one is found", () => {
    const names = settings.map(({ name }) => name);
    expect(unread(names, "services")).toEqual([]);
    expect(unread([...names, "SETTLE_PLANTED"], "services")).toEqual(["SETTLE_PLANTED"]);
  });

  test("lists every setting that the commands read, and none besides", () => {
    const services = new Set(settings.map(({ name }) => name));
    const listed = TOOL_SETTINGS.map(({ name }) => name);
    const read = [...namedIn("tools")].filter((name) => !services.has(name));
    expect(read.filter((name) => !listed.includes(name))).toEqual([]);
    const tests = ["SETTLE_TEST_TIER"];
    expect(unread(listed, "tools").filter((name) => !tests.includes(name))).toEqual([]);
    expect(listed).toEqual(listed.toSorted());
  });

  test("says what each means: the docstring of the field that it fills", () => {
    expect(settings.filter(({ meaning }) => meaning === "").map(({ name }) => name)).toEqual([]);
  });

  test("says unit and default as the code has them", () => {
    const page = readFileSync(PAGE, "utf8");
    expect(page).toMatch(/^\| `SETTLE_SWEEP_INTERVAL` \| duration \| 5s \| payment \|/m);
    expect(page).toMatch(
      /^\| `SETTLE_PORT_EDGE` \| whole number from 0 to 65535 \| 8080 \| edge \|/m,
    );
    expect(page).toMatch(
      /^\| `SETTLE_MODE` \| one of development, production \| `development` \| all \|/m,
    );
  });
});

test("a setting is observed as it is read, whatever kind it is, and nobody is told afterwards", () => {
  const seen: SettingRead[] = [];
  const reader = new EnvReader({});
  observeSettings(
    (setting) => void seen.push(setting),
    () => {
      reader.durationMs("A", 5);
      reader.secret("B");
    },
  );
  reader.text("C", "");
  expect(seen).toEqual([
    { name: "A", kind: "duration", fallback: 5 },
    { name: "B", kind: "secret text, at least 16 characters", fallback: undefined },
  ]);
});
