import { vi } from "vitest";
import { describeCancels } from "./cancel-matrix.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

describeCancels("local-first");
