import { runCli } from "./program.ts";

// Ctrl-C ends calls and streams in order; a second one ends the process.
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

// A reader that went away (`settle payment list | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal: process.stdout.isTTY === true,
  signal: interrupt.signal,
});
