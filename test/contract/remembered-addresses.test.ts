import { test, vi } from "vitest";
import { FraudService } from "#gen/fraud/v1/fraud_pb.ts";
import type * as tarpit from "#kit/rpc/tarpit.ts";
import { connectRaw, END_HEADERS, FRAME, h2Frame, postHeaders } from "#test/support/raw-http2.ts";
import { pathOf } from "#test/support/raw-rpc.ts";
import { startStubServer } from "#test/support/stub-server.ts";
import { waitUntil } from "#test/support/wait-until.ts";

/** How often an address was noted for its conduct. */
const noted = vi.hoisted(() => ({ times: 0 }));

vi.mock("#kit/rpc/tarpit.ts", async (load) => {
  const real = await load<typeof tarpit>();
  return {
    ...real,
    createTarpit() {
      const made = real.createTarpit();
      return {
        ...made,
        note(address: string | undefined) {
          noted.times += 1;
          made.note(address);
        },
      };
    },
  };
});

test("an address is remembered on by what ends a connection of one that is remembered, not only by a new flood", async () => {
  const limits = { resetsBurst: 64, resetsPerSecond: 1 };
  await using server = await startStubServer({}, { limits });
  const block = postHeaders(pathOf(FraudService.method.getCheck), [
    ["content-type", "application/grpc"],
  ]);
  const resets = (count: number) =>
    Buffer.concat(
      Array.from({ length: count }, (_, each) => {
        const stream = 2 * each + 1;
        return Buffer.concat([
          h2Frame(FRAME.headers, END_HEADERS, stream, block),
          h2Frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, 8])),
        ]);
      }),
    );
  using flood = await connectRaw(server.address);
  await flood.write(resets(300));
  await flood.ended;
  await waitUntil(async () => noted.times > 0);
  const before = noted.times;
  using again = await connectRaw(server.address);
  // Silent while it waits: it is let in, and only then does it what ends it.
  await again.begun;
  await again.write(resets(40));
  await again.ended;
  await waitUntil(async () => noted.times > before);
});
