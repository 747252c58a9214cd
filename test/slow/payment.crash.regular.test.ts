import { vi } from "vitest";
import { describeCrashes } from "#test/workflow/payment/crash-matrix.ts";

vi.mock("#kit/rpc/local.ts", async (original) => {
  const { faultyLocalPeers } = await import("#test/support/faulty-stack.ts");
  return faultyLocalPeers(original);
});

describeCrashes("regular");
