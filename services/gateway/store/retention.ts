import type { Retention } from "#kit/mongo/retention.ts";

/** Transactions and operations are the provider's money and its keys: they stay. */
export function gatewayRetention(keptMs: number): readonly Retention[] {
  return [
    {
      collection: "callbacks",
      field: "updateTime",
      keptMs,
      where: { state: { $in: ["DONE", "DEAD"] } },
    },
    { collection: "attempts", field: "updateTime", keptMs },
  ];
}
