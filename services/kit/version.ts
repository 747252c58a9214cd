import { readFileSync } from "node:fs";

const PACKAGE = new URL("../../package.json", import.meta.url);

/** Version of Settle as its package.json says, such as `0.1.0`. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const read: unknown = JSON.parse(readFileSync(PACKAGE, "utf8"));
  const isPackage = typeof read === "object" && read !== null && "version" in read;
  return isPackage ? String(read.version) : "unknown";
}
