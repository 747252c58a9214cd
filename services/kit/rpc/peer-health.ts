import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";

/** How long a peer may take to say how it is, in milliseconds. */
const ASK_MS = 1_500;

/** Throws unless a service of a peer is serving, by the peer's own word, which is believed for `ttlMs`. */
export function peerHealth(
  transport: Transport,
  service: string,
  ttlMs: number,
): () => Promise<void> {
  const client = createClient(Health, transport);
  let known: { readonly answer: Promise<void>; readonly untilMs: number } | undefined;
  const ask = async (): Promise<void> => {
    const { status } = await client.check({ service }, { timeoutMs: ASK_MS });
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
