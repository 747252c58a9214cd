import { randomBytes } from "node:crypto";

/** Connection string of the run's mongod, a one-node replica set. */
export function mongoUri(): string {
  return required("MONGODB_URI");
}

/** `host:port` of the run's Temporal server. */
export function temporalAddress(): string {
  return required("TEMPORAL_ADDRESS");
}

/** Path of a provisioned tool: mongod, temporal, temporal-test-server, k6 or grpcurl. */
export function toolPath(tool: string): string {
  return required(toolVariable(tool));
}

/** `toolPath`, or undefined where the tool could not be provisioned: for tests that are skipped aloud then. */
export function optionalToolPath(tool: string): string | undefined {
  return process.env[toolVariable(tool)] || undefined;
}

/** Name of the environment variable that holds a tool's path. */
export function toolVariable(tool: string): string {
  return `SETTLE_TOOL_${tool.toUpperCase().replaceAll("-", "_")}`;
}

/** A database name prefix no other test file uses. */
export function freshPrefix(): string {
  return `t_${randomBytes(6).toString("hex")}`;
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests by npm test`);
  return value;
}
