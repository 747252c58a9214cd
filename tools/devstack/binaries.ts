import { type ProvisionDeps, provision } from "../provision/provision.ts";

/** Paths of the programs to run; absent for what is external. */
export interface Binaries {
  readonly mongod: { readonly path: string; readonly version: string } | undefined;
  readonly temporal: string | undefined;
}

/** Provisions what MONGODB_URI and TEMPORAL_ADDRESS do not already name. Starts nothing. */
export async function findBinaries(deps: ProvisionDeps): Promise<Binaries> {
  const [mongod, temporal] = await Promise.all([
    deps.env["MONGODB_URI"] ? undefined : provision("mongod", deps),
    deps.env["TEMPORAL_ADDRESS"] ? undefined : provision("temporal", deps),
  ]);
  return { mongod, temporal: temporal?.path };
}
