import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import type { Db } from "mongodb";
import { type Key, KeySchema, KeyService } from "#gen/auth/v1/keys_pb.ts";
import { once, requestHash } from "../idempotency/request.ts";
import type { Scope } from "../pure/scope.ts";
import { noteChange } from "../rpc/call.ts";
import { scopeOf } from "../rpc/context.ts";
import { validate, warmValidator } from "../rpc/validation.ts";
import { ROLE_MESSAGES, roleFromMessage } from "./access.ts";
import type { KeyRow } from "./key-store.ts";
import {
  checkRoles,
  createKey,
  getKey,
  type KeyDeps,
  listKeys,
  revokeKey,
  rotateKey,
} from "./keys.ts";

/** What the handlers work with. */
export interface KeyRouteDeps extends KeyDeps {
  /** `KEYS_DATABASE`, where the answers to repeats lie too. */
  readonly db: Db;
}

type Check = (method: DescMethod, request: Message) => void;
type Handlers = ServiceImpl<typeof KeyService>;
const method = KeyService.method;

/**
 * Registers `auth.v1.KeyService` on a port; its database is prepared by `keyMigrations`. Messages are checked here,
 * because a port that forwards leaves that to whom it forwards to.
 */
export function keyRoutes(deps: KeyRouteDeps): (router: ConnectRouter) => void {
  const validator = warmValidator([KeyService]);
  const check: Check = ({ input }, request) => validate(validator, input, request);
  return (router) => {
    router.service(KeyService, { ...reads(deps, check), ...mutations(deps, check) });
  };
}

function reads(deps: KeyDeps, check: Check): Pick<Handlers, "getKey" | "listKeys"> {
  return {
    async getKey(request, context) {
      check(method.getKey, request);
      return { key: keyToMessage(await getKey(deps, scopeOf(context), request.keyId)) };
    },
    async listKeys(request, context) {
      check(method.listKeys, request);
      const { items, nextPageToken } = await listKeys(deps, scopeOf(context), request);
      return { keys: items.map(keyToMessage), nextPageToken };
    },
  };
}

function mutations(
  deps: KeyRouteDeps,
  check: Check,
): Pick<Handlers, "createKey" | "revokeKey" | "rotateKey"> {
  return {
    async createKey(request, context) {
      check(method.createKey, request);
      const scope = scopeOf(context);
      const { subject, accounts, description, lifetime } = request;
      const roles = request.roles.flatMap((role) => roleFromMessage(role) ?? []);
      checkRoles(scope, roles, "roles");
      const lifetimeMs = lifetime && durationMs(lifetime);
      const order = { subject, roles, accounts, description, lifetimeMs };
      return repeatable(deps, scope, method.createKey, request, async (callId) => {
        const { row, text } = await createKey(deps, scope, order, callId);
        noteChange(context, "key_created", row._id.id);
        return { key: keyToMessage(row), secret: text };
      });
    },
    async revokeKey(request, context) {
      check(method.revokeKey, request);
      const scope = scopeOf(context);
      return repeatable(deps, scope, method.revokeKey, request, async () => {
        const row = await revokeKey(deps, scope, request.keyId);
        noteChange(context, "key_revoked", row._id.id);
        return { key: keyToMessage(row) };
      });
    },
    async rotateKey(request, context) {
      check(method.rotateKey, request);
      const scope = scopeOf(context);
      const { keyId, overlap } = request;
      checkRoles(scope, (await getKey(deps, scope, keyId)).roles, "key_id");
      const overlapMs = overlap && durationMs(overlap);
      return repeatable(deps, scope, method.rotateKey, request, async (callId) => {
        const { row, text } = await rotateKey(deps, scope, keyId, overlapMs, callId);
        noteChange(context, "key_rotated", keyId);
        return { key: keyToMessage(row), secret: text };
      });
    },
  };
}

/** Runs a mutation once per request_id. Its answer may show a secret, so it is stored sealed. */
function repeatable<I extends DescMessage, O extends DescMessage>(
  { db, sealer }: KeyRouteDeps,
  scope: Scope,
  { parent, name, input, output }: DescMethodUnary<I, O>,
  request: MessageShape<I> & { readonly requestId: string },
  run: (callId: string) => Promise<MessageInitShape<O>>,
): Promise<MessageShape<O>> {
  const claim = {
    method: `${parent.typeName}/${name}`,
    requestId: request.requestId,
    requestHash: requestHash(input, request),
    responseSchema: output,
    reasons: {},
    sealer,
  };
  return once(db, scope, claim, async ({ id }) => create(output, await run(id)));
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
