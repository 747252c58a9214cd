import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { DescService } from "@bufbuild/protobuf";

const GEN = path.resolve(import.meta.dirname, "../../gen");
/** Contracts of others, which are served under exemptions of their own. */
const FOREIGN = /^(google|grpc|buf)\//;

/** Every service of every contract, read from the generated files, so that a new one is included by itself. */
export async function allServices(): Promise<readonly DescService[]> {
  const files = readdirSync(GEN, { recursive: true, encoding: "utf8" });
  const own = files.filter((file) => file.endsWith("_pb.ts") && !FOREIGN.test(file)).sort();
  const modules = await Promise.all(
    own.map((file): Promise<object> => import(pathToFileURL(path.join(GEN, file)).href)),
  );
  return modules.flatMap((module) => Object.values(module).filter(isService));
}

function isService(value: unknown): value is DescService {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "service";
}
