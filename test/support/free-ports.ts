import { claimPorts } from "#tools/devstack/ports.ts";

/** Ports that nobody listens on, held for this process until they are used. */
export async function freePorts(count: number): Promise<number[]> {
  const first = await claimPorts(count);
  return Array.from({ length: count }, (_, offset) => first + offset);
}
