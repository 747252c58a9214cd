import type { Key } from "#gen/auth/v1/keys_pb.ts";
import { Role } from "#gen/common/v1/access_pb.ts";
import { enumText, fields, time } from "../output.ts";
import type { Column } from "../table.ts";

/** Roles as the command line spells them. */
export function rolesText(key: Key): string {
  return key.roles.map((role) => enumText(Role, role).toLowerCase()).join(",");
}

/** Whether a key works, in a word. */
export function stateOf(key: Key, now: Date = new Date()): string {
  if (key.revokeTime) return "revoked";
  const isOver =
    key.expireTime !== undefined && Number(key.expireTime.seconds) * 1_000 <= now.getTime();
  return isOver ? "expired" : "active";
}

export const keyColumns: readonly Column<Key>[] = [
  { title: "KEY", cell: (key) => key.keyId },
  { title: "SUBJECT", cell: (key) => key.subject },
  { title: "ROLES", cell: rolesText },
  { title: "ACCOUNTS", cell: (key) => key.accounts.join(",") },
  { title: "STATE", cell: (key) => stateOf(key) },
  { title: "CREATED", cell: (key) => time(key.createTime) },
  { title: "EXPIRES", cell: (key) => (key.expireTime ? time(key.expireTime) : "") },
];

/** A key for people. */
export function keyLines(key: Key): readonly string[] {
  return fields([
    ["key", key.keyId],
    ["subject", key.subject],
    ["roles", rolesText(key)],
    ["accounts", key.accounts.join(",")],
    ["state", stateOf(key)],
    ["created", `${time(key.createTime)} by ${key.createdBy}`],
    ["expires", time(key.expireTime)],
  ]);
}

/** A key with its secret, which only a repeat of the call shows again. */
export function secretLines(made: {
  readonly key?: Key | undefined;
  readonly secret: string;
}): readonly string[] {
  return [
    ...(made.key === undefined ? [] : keyLines(made.key)),
    "",
    `SETTLE_API_KEY=${made.secret}`,
    "keep it: it is not shown again",
  ];
}
