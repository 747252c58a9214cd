import type { Transport } from "@connectrpc/connect";
import type { PeerIdentity } from "../auth/security.ts";
import { connectTo, type PeerTransport } from "./client.ts";

/** Calls on one connection, below the 128 that a port takes: the rest stays free for those that just ended. */
const CALLS_MAX = 100;

/** Connections to one peer. */
export interface PeerPool extends Disposable {
  /**
   * A connection with room for one more call, until `release`. A stream may stay open for an hour and a Create may wait
   * for half a minute: on one connection, a hundred of them would stop all others, health checks too.
   */
  take(): { readonly transport: Transport; release(): void };
}

interface Lane {
  readonly peer: PeerTransport;
  open: number;
}

/** Opens connections as they are needed. Disposing aborts whatever runs on them. */
export function createPeerPool(baseUrl: string, identity: PeerIdentity): PeerPool {
  const lanes: Lane[] = [];
  return {
    take() {
      let lane = lanes.find(({ open }) => open < CALLS_MAX);
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
      for (const { peer } of lanes) peer.sessions.abort();
    },
  };
}
