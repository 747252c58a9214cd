import type { Transport } from "@connectrpc/connect";
import type { PeerIdentity } from "../auth/security.ts";
import { connectTo, type PeerTransport } from "./client.ts";

/** Streams on one connection, below the 128 that a port takes: the rest stays free for those that just ended. */
const STREAMS_MAX = 100;

/** Connections to one peer. */
export interface PeerPool extends Disposable {
  /** For unary calls: they end soon, so that they may wait for each other. */
  readonly unary: Transport;
  /**
   * For one stream, until `release`. A stream may stay open for an hour: on the connection of the unary calls, a
   * hundred of them would stop all others.
   */
  takeStream(): { readonly transport: Transport; release(): void };
}

interface Lane {
  readonly peer: PeerTransport;
  open: number;
}

/** Opens connections as they are needed. Disposing aborts whatever runs on them. */
export function createPeerPool(baseUrl: string, identity: PeerIdentity): PeerPool {
  const unary = connectTo(baseUrl, identity);
  const lanes: Lane[] = [];
  return {
    unary: unary.transport,
    takeStream() {
      let lane = lanes.find(({ open }) => open < STREAMS_MAX);
      if (lane === undefined) {
        lane = { peer: connectTo(baseUrl, identity), open: 0 };
        lanes.push(lane);
      }
      const taken = lane;
      taken.open += 1;
      return {
        transport: taken.peer.transport,
        release: () => {
          taken.open -= 1;
        },
      };
    },
    [Symbol.dispose]() {
      unary.sessions.abort();
      for (const { peer } of lanes) peer.sessions.abort();
    },
  };
}
