import { vi } from "vitest";
import { describeCancels } from "#test/workflow/payment/cancel-matrix.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

describeCancels("regular");
