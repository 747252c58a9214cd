import { vi } from "vitest";
import { describeFaultMatrix } from "./fault-matrix.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

describeFaultMatrix("a payment whose steps run near the saga first", {
  SETTLE_FRAUD_MODE: "inline",
});
