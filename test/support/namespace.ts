import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { temporalAddress, toolPath } from "./env.ts";

/** Registers a namespace of its own for a test file: task queues have fixed names, so files would share their workers. */
export async function createNamespace(): Promise<string> {
  const namespace = `t-${randomBytes(6).toString("hex")}`;
  await promisify(execFile)(toolPath("temporal"), [
    ...["operator", "namespace", "create", "--address", temporalAddress()],
    ...["--retention", "24h", "--namespace", namespace],
  ]);
  return namespace;
}
