#!/usr/bin/env node
// The `settle` command: installs what is missing, then runs the command line tool under Node 24.
import path from "node:path";
import { launch, ROOT } from "./launch.mjs";

await launch([path.join(ROOT, "tools", "cli", "main.ts"), ...process.argv.slice(2)], {
  NODE_COMPILE_CACHE:
    process.env.NODE_COMPILE_CACHE ??
    path.join(ROOT, "node_modules", ".cache", "settle", "compile"),
});
