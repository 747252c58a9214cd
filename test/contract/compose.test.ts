import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { DEFAULT_PORTS, type Env } from "#kit/config.ts";
import { toolPath } from "#test/support/env.ts";
import { runCommand } from "#test/support/run-command.ts";
import { temporaryDirectory } from "#test/support/start-process.ts";
import { writeComposeEnv } from "#tools/compose/env.ts";
import { TOOLS } from "#tools/provision/tools.ts";

interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly entrypoint?: readonly string[];
  readonly profiles?: readonly string[];
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly logging?: { readonly options: object };
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
const cli = compose.services["cli"];
const ours = all.filter(([name, service]) => service.build !== undefined && name !== "cli");
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
    for (const [name, { restart }] of all.filter(([name]) => name !== "cli")) {
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

  test.each(ours)(
    "%s has a user of MongoDB of its own, and nobody has the root's",
    (name, service) => {
      const uri = service.environment?.["MONGODB_URI"] ?? "";
      const password = `MONGO_PASSWORD_${name.toUpperCase()}`;
      expect(uri).toContain(`mongodb://settle-${name}:\${${password}:?set ${password} in .env}@`);
      expect(JSON.stringify(service)).not.toContain("${MONGO_PASSWORD:");
    },
  );

  test("every container has limits, so that a leak ends it and not the machine", () => {
    for (const [name, service] of all) {
      expect(service, name).toMatchObject({
        mem_limit: expect.stringMatching(/^\d+g$/),
        cpus: expect.any(Number),
        pids_limit: expect.any(Number),
        logging: { options: { "max-size": "10m" } },
      });
    }
  });

  test("the command line is reached by docker compose run, with the database of the first key", () => {
    expect(cli).toMatchObject({
      profiles: ["cli"],
      restart: "no",
      entrypoint: ["node", "tools/cli/main.ts"],
      environment: { SETTLE_ADDRESS: "http://edge:8080", SETTLE_API_KEY: null },
    });
    const edge = compose.services["edge"]?.environment?.["MONGODB_URI"];
    expect(cli?.environment?.["MONGODB_URI"]).toBe(edge);
  });

  test("Temporal and its page are of the versions of the embedded server", async () => {
    const { stdout } = await runCommand([toolPath("temporal"), "--version"]);
    const [, server, ui] = /\(Server (\S+), UI (\S+)\)/.exec(stdout) ?? [];
    expect(images()).toMatchObject({
      temporal: `temporalio/server:${server}`,
      "temporal-schema": `temporalio/admin-tools:${server}`,
      "temporal-namespace": `temporalio/admin-tools:${server}`,
      "temporal-ui": `temporalio/ui:${ui}`,
    });
  });

  test("MongoDB is of the version that npm start brings", () => {
    expect(images()["mongo-1"]).toBe(`mongo:${TOOLS.mongod.version}`);
  });

  test("every secret that is asked for is in .env.example, empty, and nothing else is", () => {
    const asked = new Set([...text.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name));
    const example = readFileSync(path.join(ROOT, ".env.example"), "utf8");
    const listed = example.split("\n").filter((line) => /^[A-Z]/.test(line));
    expect(listed.toSorted()).toEqual([...asked].map((name) => `${name}=`).toSorted());
  });

  test("its first step is the first thing to read, and makes a secret for each name, once", async () => {
    expect(text.split("\n").slice(0, 6).join("\n")).toContain("npm run compose:env");
    await using folder = await temporaryDirectory();
    const write = () => writeComposeEnv(folder.path, path.join(ROOT, ".env.example"));
    expect(write()).toBe(true);
    const first = readFileSync(path.join(folder.path, ".env"), "utf8");
    const values = [...first.matchAll(/^[A-Z_]+=(.*)$/gm)].map(([, value]) => value ?? "");
    expect(values.every((value) => /^[0-9a-f]{48}$/.test(value))).toBe(true);
    expect(new Set(values).size).toBe(values.length);
    expect(write()).toBe(false);
    expect(readFileSync(path.join(folder.path, ".env"), "utf8")).toBe(first);
  });

  test("no secret has a default: a missing one stops compose with a message", () => {
    for (const [name, { environment }] of all) {
      for (const [key, value] of Object.entries(environment ?? {})) {
        // Without a value it is the one of the shell.
        if (!/PASSWORD|PWD|SECRET|_KEY$/.test(key) || value === null) continue;
        expect(value, `${name} ${key}`).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
      }
    }
    expect(text.match(/\$\{[^}]*:?-[^}]*\}/g)).toBeNull();
  });
});

function images(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(all.map(([name, { image }]) => [name, image]));
}

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
      (value ?? "").replaceAll(/\$\{[^}]+\}/g, "0123456789abcdef0123456789abcdef"),
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
