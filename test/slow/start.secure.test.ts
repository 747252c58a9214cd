import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Env } from "#kit/config.ts";
import { closePeers } from "#kit/rpc/client.ts";
import { type Authority, createAuthority, type Identity } from "#test/support/certificates.ts";
import { toolPath } from "#test/support/env.ts";
import { runCommand } from "#test/support/run-command.ts";
import {
  freePortBase,
  runStart,
  type StartProcess,
  temporaryDirectory,
} from "#test/support/start-process.ts";
import { waitUntil } from "#test/support/wait-until.ts";
import { run } from "#test/unit/cli/run.ts";

let data: Awaited<ReturnType<typeof temporaryDirectory>>;
let authority: Authority;
let client: Identity;
let start: StartProcess;
let edge: string;
let secret: string;

const BOOTSTRAP = "key create --bootstrap --subject admin --role operator merchant";

beforeAll(async () => {
  data = await temporaryDirectory();
  authority = createAuthority();
  const server = authority.issue("server");
  client = authority.issue("client");
  const base = await freePortBase();
  edge = `127.0.0.1:${base}`;
  start = runStart(["--data-dir", data.path, "--port-base", `${base}`], {
    SETTLE_MODE: "production",
    SETTLE_HOST: "0.0.0.0",
    SETTLE_TLS_CERT: server.cert,
    SETTLE_TLS_KEY: server.key,
    SETTLE_TLS_CA: authority.ca,
    SETTLE_TLS_CLIENT_AUTH: "require",
    SETTLE_GATEWAY_CALLBACK_DELAY: "100ms",
  });
  await waitUntil(async () => start.output().includes("Ctrl-C stops everything"), {
    boundMs: 50_000,
    what: "the end of the start",
  });
  const made = await beside(`-o json ${BOOTSTRAP}`);
  secret = JSON.parse(made.out).secret;
});
afterAll(async () => {
  closePeers();
  start.signal("SIGTERM");
  const { code, lines } = await start.ended;
  authority[Symbol.dispose]();
  await data[Symbol.asyncDispose]();
  expect(code, lines.join("\n")).toBe(0);
});

/** `settle …` at the edge over TLS, with a certificate or with none. */
function settle(argv: readonly string[], env: Env = {}, certificate = true) {
  const shown = certificate ? ["--cert", client.cert, "--cert-key", client.key] : [];
  const options = ["--address", edge, "--ca", authority.ca, ...shown, "-o", "json"];
  return run([...options, ...argv], { env });
}

/** `settle …` on the machine of the start, by its data directory. */
function beside(words: string) {
  return run(words.split(" "), { env: { SETTLE_DATA_DIR: data.path } });
}

const pay = ["payment", "create", "--account", "1", "--minor", "7", "--currency", "USD"];

test("npm start with certificates and keys pays, asks everybody for both, and its books are clean", async () => {
  // The demo has crossed every connection between the services by now.
  expect(start.output()).toContain("ends as SUCCEEDED");
  expect(start.output()).toContain("PRODUCTION MODE: every call needs a key");

  const cli = `./tools/settle.mjs --data-dir ${path.relative(process.cwd(), data.path)}`;
  expect(start.output()).toContain(`${cli} ${BOOTSTRAP}`);
  expect((await beside(BOOTSTRAP)).err).toContain("there are keys already");

  expect((await settle(pay)).err).toContain("CREDENTIALS_MISSING");
  expect((await settle(pay, { SETTLE_API_KEY: `${secret}x` })).err).toContain(
    "CREDENTIALS_INVALID",
  );
  const key = { SETTLE_API_KEY: secret };
  expect((await settle(pay, key, false)).err).toContain("UNAVAILABLE");

  const stranger = await run([...["--address", `https://${edge}`], ...pay], { env: key });
  expect(stranger.err).toMatch(/certificate is not believed[\s\S]*--ca/);

  // The provider's callback comes over TLS as well.
  const paid = await settle([...pay, "--mock", "callback", "--wait", "completed"], key);
  expect(paid.err).toBe("");
  expect(JSON.parse(paid.out)).toMatchObject({ payment: { status: "PAYMENT_STATUS_SUCCEEDED" } });

  await writeFile(path.join(data.path, "key"), `${secret}\n`);
  const audit = await settle(["--api-key-file", path.join(data.path, "key"), "audit"]);
  expect(audit.err).toBe("");
  expect(JSON.parse(audit.out)).toMatchObject({ ok: true });
});

test.each(["grpcurl", "curl"])("the printed line for %s pays as it stands", async (tool) => {
  const line = start
    .output()
    .split("\n")
    .find(
      (each) =>
        each.startsWith(`  ${tool} `) || each.startsWith(`  npm run --silent tool -- ${tool} `),
    );
  const tools = path.dirname(toolPath("grpcurl"));
  const { stdout, stderr } = await runCommand(["bash", "-c", line ?? "exit 9"], {
    env: { PATH: `${tools}:${process.env["PATH"]}`, SETTLE_API_KEY: secret },
  });
  expect(stdout, stderr).toContain("PAYMENT_STATUS_SUCCEEDED");
});
