import type { BaseConfig, Env } from "#kit/config.ts";
import { EnvReader, readBaseConfig } from "#kit/config.ts";
import { runMain } from "#kit/main.ts";
import { startStubServer } from "#test/support/stub-server.ts";

// The main of a service that needs no database: GetCheck answers after STUB_DELAY_MS, so that a signal can come between.
function readConfig(env: Env): BaseConfig {
  const reader = new EnvReader(env);
  const config = readBaseConfig(reader, "fraud");
  reader.finish();
  return config;
}

await runMain(readConfig, async (config) => {
  const delayMs = Number(process.env["STUB_DELAY_MS"] ?? 0);
  const server = await startStubServer(
    {
      fraud: {
        getCheck: async ({ checkId }) => {
          process.stdout.write("entered\n");
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          return { check: { checkId } };
        },
      },
    },
    { host: config.host, port: config.port },
  );
  process.stdout.write(`${server.address}\n`);
  return {
    name: "stub",
    address: server.address,
    [Symbol.asyncDispose]: () => server.close(),
  };
});
