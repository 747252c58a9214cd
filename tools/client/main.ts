import path from "node:path";
import { buildClient } from "./build.ts";

// What `npm run build:client` runs: packs the client into the folder named, `.cache/client` unless told.
const ROOT = path.resolve(import.meta.dirname, "../..");
const folder = path.resolve(process.argv[2] ?? path.join(ROOT, ".cache", "client"));
process.stdout.write(`${await buildClient(folder)}\n`);
