import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import type { PeerPool } from "./peer-pool.ts";

/** How long a peer may take to say how it is, in milliseconds. */
const ASK_MS = 1_500;

/** Throws unless a service of a peer is serving, by the peer's own word, which is believed for `ttlMs`. */
export function peerHealth(pool: PeerPool, service: string, ttlMs: number): () => Promise<void> {
  let known: { readonly answer: Promise<void>; readonly untilMs: number } | undefined;
  const ask = async (): Promise<void> => {
    const { transport, release } = pool.take();
    const client = createClient(Health, transport);
    const { status } = await client.check({ service }, { timeoutMs: ASK_MS }).finally(release);
    if (status !== Status.SERVING) {
      throw new ConnectError(`${service} is not serving`, Code.Unavailable);
    }
  };
  return () => {
    const nowMs = performance.now();
    if (known === undefined || known.untilMs <= nowMs) {
      known = { answer: ask(), untilMs: nowMs + ttlMs };
    }
    return known.answer;
  };
}
