import { ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "#gen/grpc/health/v1/health_pb.ts";
import type { PeerIdentity } from "#kit/auth/security.ts";
import { certificateFault } from "#kit/auth/tls.ts";
import { createPeer } from "#kit/rpc/client.ts";

/** What keeps the edge from serving, or undefined when it and all behind it serve. */
export async function edgeFault(url: string, identity: PeerIdentity): Promise<string | undefined> {
  try {
    const { status } = await createPeer(Health, url, identity).check({ service: "" });
    return status === Status.SERVING ? undefined : "the edge does not reach all of them";
  } catch (error) {
    return certificateFault(error) ?? ConnectError.from(error).rawMessage;
  }
}
