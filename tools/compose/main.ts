import path from "node:path";
import { writeComposeEnv } from "./env.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

// What `npm run compose:env` runs.
const written = writeComposeEnv(ROOT, path.join(ROOT, ".env.example"));
const next = "next: docker compose up --build --wait";
process.stdout.write(
  written ? `.env is written; ${next}\n` : `.env is there already and stays as it is; ${next}\n`,
);
