import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import { durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Key, KeySchema, KeyService } from "#gen/auth/v1/keys_pb.ts";
import { scopeOf } from "../rpc/context.ts";
import { validate, warmValidator } from "../rpc/validation.ts";
import { ROLE_MESSAGES, roleFromMessage } from "./access.ts";
import type { KeyRow } from "./key-store.ts";
import { createKey, getKey, type KeyDeps, listKeys, revokeKey, rotateKey } from "./keys.ts";

/**
 * Registers `auth.v1.KeyService` on a port; its database is `KEYS_DATABASE`, prepared by `keysMigration`. Messages are
 * checked here, because a port that forwards leaves that to whom it forwards to.
 */
export function keyRoutes(deps: KeyDeps): (router: ConnectRouter) => void {
  const validator = warmValidator([KeyService]);
  const check = (method: DescMethod, request: Message): void =>
    validate(validator, method.input, request);
  return (router) => {
    router.service(KeyService, {
      async createKey(request, context) {
        check(KeyService.method.createKey, request);
        const { subject, accounts, description, lifetime } = request;
        const made = await createKey(deps, scopeOf(context), {
          subject,
          accounts,
          description,
          roles: request.roles.flatMap((role) => roleFromMessage(role) ?? []),
          lifetimeMs: lifetime && durationMs(lifetime),
        });
        return { key: keyToMessage(made.row), secret: made.text };
      },
      async getKey(request, context) {
        check(KeyService.method.getKey, request);
        return { key: keyToMessage(await getKey(deps, scopeOf(context), request.keyId)) };
      },
      async listKeys(request, context) {
        check(KeyService.method.listKeys, request);
        const { rows, nextPageToken } = await listKeys(deps, scopeOf(context), request);
        return { keys: rows.map(keyToMessage), nextPageToken };
      },
      async revokeKey(request, context) {
        check(KeyService.method.revokeKey, request);
        return { key: keyToMessage(await revokeKey(deps, scopeOf(context), request.keyId)) };
      },
      async rotateKey(request, context) {
        check(KeyService.method.rotateKey, request);
        const { keyId, overlap } = request;
        const overlapMs = overlap && durationMs(overlap);
        const made = await rotateKey(deps, scopeOf(context), keyId, overlapMs);
        return { key: keyToMessage(made.row), secret: made.text };
      },
    });
  };
}

/** A key as it is shown: everything but its secrets. */
export function keyToMessage(row: KeyRow): Key {
  const { subject, accounts, description, createdBy } = row;
  return create(KeySchema, {
    keyId: row._id.id,
    subject,
    accounts: [...accounts],
    description,
    createdBy,
    roles: row.roles.map((role) => ROLE_MESSAGES[role]),
    createTime: timestampFromDate(row.createTime),
    ...(row.expireTime ? { expireTime: timestampFromDate(row.expireTime) } : {}),
    ...(row.revokeTime ? { revokeTime: timestampFromDate(row.revokeTime) } : {}),
    ...(row.rotateTime ? { rotateTime: timestampFromDate(row.rotateTime) } : {}),
  });
}
