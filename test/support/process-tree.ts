import { execFileSync } from "node:child_process";

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** A process and everything it started, directly or not. */
export function processTree(root: number): readonly Process[] {
  const all = listProcesses();
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/**
 * `kill -9` of a whole tree at once, as a power cut looks to it. The guard of a stack goes first: it would end the
 * others in order.
 */
export function killTree(root: number): void {
  const tree = processTree(root);
  const guards = tree.filter(({ command }) => command.includes("guard.mjs"));
  for (const { pid } of [...guards, ...tree]) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself, or was killed a moment ago.
  }
}

function listProcesses(): Process[] {
  const text = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], {
    encoding: "utf8",
    maxBuffer: 2 ** 24,
  });
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (!match) return [];
    return [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? "" }];
  });
}
