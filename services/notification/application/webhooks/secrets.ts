import { randomBytes } from "node:crypto";
import type { Sealer } from "#kit/seal.ts";
import type { EndpointSecret } from "../../domain/webhook.ts";

/** What opens and seals the secrets of endpoints. */
export interface SecretDeps {
  readonly sealer: Sealer;
}

/** Whose secret it is. */
export interface Owner {
  readonly tenant: string;
  readonly endpointId: string;
}

/** A new secret, sealed for its endpoint; `id` is the call that makes it. */
export function newSecret({ sealer }: SecretDeps, owner: Owner, id: string): EndpointSecret {
  const clear = Buffer.from(`whsec_${randomBytes(32).toString("base64url")}`);
  const sealed = sealer.seal(clear, placeOf(owner, id)).toString("base64url");
  return { id, secret: sealed, endTime: undefined };
}

/** The secret as its owner knows it. Throws SealBroken when the key it was sealed by is gone: a rotation mends that. */
export function openSecret(
  { sealer }: SecretDeps,
  owner: Owner,
  { id, secret }: EndpointSecret,
): string {
  return sealer.open(Buffer.from(secret, "base64url"), placeOf(owner, id)).toString();
}

function placeOf({ tenant, endpointId }: Owner, id: string): string {
  return JSON.stringify([tenant, endpointId, id]);
}
