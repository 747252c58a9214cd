// Ends the programs of a stack whose supervisor died without a word (kill -9): its end of our standard input
// closes then. One line of input per program: "+<pid>" watches it, "-<pid>" lets it go.
import { setTimeout as delay } from "node:timers/promises";

const watched = new Set();
let rest = "";

process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) {
    const pid = Number(line.slice(1));
    if (line.startsWith("+")) watched.add(pid);
    else watched.delete(pid);
  }
});
process.stdin.on("error", () => {});
process.stdin.on("close", async () => {
  for (const pid of watched) send(pid, "SIGTERM");
  for (let waited = 0; waited < 10_000 && [...watched].some((pid) => send(pid, 0)); waited += 100) {
    await delay(100);
  }
  for (const pid of watched) send(pid, "SIGKILL");
  process.exit(0);
});

function send(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
