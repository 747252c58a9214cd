import { vi } from "vitest";
import { describeFaultMatrix } from "#test/workflow/payment/fault-matrix.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

describeFaultMatrix("a payment whose steps run in their owners' workers", {
  SETTLE_STEPS_MODE: "regular",
  SETTLE_FRAUD_MODE: "inline",
});
