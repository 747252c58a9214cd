#!/usr/bin/env node
// What `npm start`, `npm test` and `npm run check` run: installs what is missing, goes on under Node 24.
import path from "node:path";
import { launch, ROOT } from "./launch.mjs";

const [command, ...rest] = process.argv.slice(2);
const compileCache = {
  NODE_COMPILE_CACHE:
    process.env.NODE_COMPILE_CACHE ??
    path.join(ROOT, "node_modules", ".cache", "settle", "compile"),
};

switch (command) {
  case "start":
    await launch([path.join(ROOT, "tools", "devstack", "main.ts"), ...rest], compileCache);
    break;
  case "test":
    await launch([path.join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run", ...rest]);
    break;
  case "test:slow":
  case "test:chaos":
  case "test:long":
    await launch([path.join(ROOT, "node_modules", "vitest", "vitest.mjs"), "run", ...rest], {
      SETTLE_TEST_TIER: command.slice("test:".length),
    });
    break;
  case "bench:start":
    await launch([path.join(ROOT, "tools", "bench", "main.ts"), ...rest], compileCache);
    break;
  case "check":
    await launch([path.join(ROOT, "tools", "check", "main.ts"), ...rest]);
    break;
  case "settle":
    await launch([path.join(ROOT, "tools", "cli", "main.ts"), ...rest], compileCache);
    break;
  case "compose:env":
    await launch([path.join(ROOT, "tools", "compose", "main.ts")]);
    break;
  case "tool":
    await launch([path.join(ROOT, "tools", "tool", "main.ts"), ...rest], compileCache);
    break;
  case "build:client":
    await launch([path.join(ROOT, "tools", "client", "main.ts"), ...rest]);
    break;
  case "example":
    await launch(rest);
    break;
  case "fuzz":
    await launch([path.join(ROOT, "tools", "fuzz", "main.ts"), ...rest]);
    break;
  default:
    process.stderr.write(
      "usage: node tools/run.mjs start|test|test:slow|test:chaos|test:long|bench:start|check|settle|" +
        "build:client|example|fuzz|tool|compose:env [arguments]\n",
    );
    process.exitCode = 2;
}
