import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { DEFAULT_PORTS, type Env } from "#kit/config.ts";

interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const ROOT = path.resolve(import.meta.dirname, "../..");
const text = readFileSync(path.join(ROOT, "docker-compose.yml"), "utf8");
const compose: {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
} = parse(text, { merge: true });
const dockerfile = readFileSync(path.join(ROOT, "Dockerfile"), "utf8");

const all = Object.entries(compose.services);
const ours = all.filter(([, service]) => service.build !== undefined);
const theirs = all.filter(([, service]) => service.build === undefined);
const oneShots = new Set(
  all.flatMap(([, { depends_on }]) =>
    Object.entries(depends_on ?? {})
      .filter(([, { condition }]) => condition === "service_completed_successfully")
      .map(([name]) => name),
  ),
);

describe("docker-compose.yml", () => {
  test("runs every service of the tree and no other, so that nothing is forgotten in production", () => {
    const inTree = readdirSync(path.join(ROOT, "services")).filter((name) =>
      existsSync(path.join(ROOT, "services", name, "main.ts")),
    );
    expect(ours.map(([name]) => name).sort()).toEqual(
      inTree.filter((name) => name !== "kit").sort(),
    );
  });

  test.each(ours)("%s runs its own main.ts from the one image, locked down", (name, service) => {
    expect(service.command).toEqual(["node", `services/${name}/main.ts`]);
    expect(service.image).toBe(compose.services["payment"]?.image);
    expect(service).toMatchObject({
      user: "node",
      read_only: true,
      restart: "unless-stopped",
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
  });

  test.each(ours)("%s listens on its port of the design, on this machine only", (name, service) => {
    const port = Object.entries(DEFAULT_PORTS).find(([service]) => service === name)?.[1];
    expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
    expect(service.healthcheck?.test.join(" ")).toContain(`http://127.0.0.1:${port}/readyz`);
    expect(service.environment?.[`SETTLE_URL_${name.toUpperCase()}`]).toBe(
      `http://${name}:${port}`,
    );
  });

  test.each(ours)(
    "%s is given only settings that its config.ts reads, so that none is a dead letter",
    async (name, service) => {
      const read = await settingsOf(name);
      expect(
        Object.keys(service.environment ?? {}).filter((setting) => !read.has(setting)),
      ).toEqual([]);
      expect(service.environment).toMatchObject({ SETTLE_HOST: "0.0.0.0" });
    },
  );

  test.each(ours)("%s starts when the replica set and the namespace are there", (_, service) => {
    expect(service.depends_on).toEqual({
      "mongo-init": { condition: "service_completed_successfully" },
      "temporal-namespace": { condition: "service_completed_successfully" },
    });
  });

  test("the engines are official images with pinned versions", () => {
    const images = new Set(theirs.map(([, service]) => service.image?.split(":")[0]));
    expect([...images].sort()).toEqual([
      "mongo",
      "postgres",
      "temporalio/admin-tools",
      "temporalio/server",
      "temporalio/ui",
    ]);
    for (const [name, { image }] of theirs)
      expect(image, name).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  test("every store keeps its data in a named volume, and every volume is used", () => {
    const used = all.flatMap(([, { volumes }]) =>
      (volumes ?? []).map((volume) => volume.split(":")[0]),
    );
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(used).toEqual(expect.arrayContaining(["mongo-1", "mongo-2", "mongo-3", "postgres"]));
  });

  test("every store and server has a health check, and whoever waits for one waits for its health", () => {
    const waitedFor = all.flatMap(([, { depends_on }]) => Object.entries(depends_on ?? {}));
    for (const [name, { condition }] of waitedFor) {
      expect(compose.services[name], `${name} exists`).toBeDefined();
      if (oneShots.has(name)) expect(condition).toBe("service_completed_successfully");
      else expect([name, condition]).toEqual([name, "service_healthy"]);
      if (!oneShots.has(name)) expect(compose.services[name]?.healthcheck, name).toBeDefined();
    }
  });

  test("what keeps running is restarted; what runs once is retried a few times", () => {
    for (const [name, { restart }] of all) {
      expect([name, restart]).toEqual([
        name,
        oneShots.has(name) ? "on-failure:5" : "unless-stopped",
      ]);
    }
  });

  test("MongoDB is a replica set of three members with authentication", () => {
    const members = all.filter(([name]) => /^mongo-\d$/.test(name)).map(([name]) => name);
    expect(members).toEqual(["mongo-1", "mongo-2", "mongo-3"]);
    expect(text).toContain("--replSet settle");
    expect(text).toContain("--keyFile");
    const uri = compose.services["payment"]?.environment?.["MONGODB_URI"] ?? "";
    for (const member of members) expect(uri).toContain(`${member}:27017`);
    expect(uri).toContain("replicaSet=settle");
  });

  test("no secret has a default: a missing one stops compose with a message", () => {
    for (const [name, { environment }] of all) {
      for (const [key, value] of Object.entries(environment ?? {})) {
        if (!/PASSWORD|PWD|SECRET|_KEY$/.test(key)) continue;
        expect(value, `${name} ${key}`).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
      }
    }
    expect(text.match(/\$\{[^}]*:?-[^}]*\}/g)).toBeNull();
    expect(text).toMatch(/mongodb:\/\/settle:\$\{MONGO_PASSWORD:\?/);
  });
});

describe("Dockerfile", () => {
  test("installs exactly the lockfile without dev dependencies and install scripts", () => {
    expect(dockerfile).toContain("npm ci --omit=dev --ignore-scripts");
    expect(dockerfile.match(/^FROM .*/gm)).toEqual([
      "FROM node:24-bookworm-slim AS dependencies",
      "FROM node:24-bookworm-slim",
    ]);
  });

  test("ends as a user without rights", () => {
    expect(dockerfile.match(/^USER .*/gm)).toEqual(["USER node"]);
  });

  test("copies only what exists and what .dockerignore lets through", () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      (match[1] ?? "").split(" "),
    );
    const sent = readFileSync(path.join(ROOT, ".dockerignore"), "utf8").match(/^!.+$/gm) ?? [];
    expect(copied.length).toBeGreaterThan(0);
    for (const file of copied) {
      expect(existsSync(path.join(ROOT, file)), file).toBe(true);
      expect(sent, file).toContain(`!${file}`);
    }
  });
});

/**
 * The settings a service's configuration asks for when it is started as compose does, found by handing its reader an
 * environment that takes notes. Throws when the reader does not accept what compose gives it.
 */
async function settingsOf(service: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const given = new Map(
    Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{[^}]+\}/g, "0123456789abcdef0123456789abcdef"),
    ]),
  );
  const env: Env = new Proxy(
    {},
    {
      get: (_, name) => {
        names.add(String(name));
        return given.get(String(name));
      },
    },
  );
  const module: Readonly<Record<string, unknown>> = await import(
    pathToFileURL(path.join(ROOT, "services", service, "config.ts")).href
  );
  const reader = Object.entries(module).find(([name]) => /^read\w+Config$/.test(name))?.[1];
  if (typeof reader !== "function") {
    throw new Error(`services/${service}/config.ts exports no read…Config`);
  }
  reader(env);
  return names;
}
