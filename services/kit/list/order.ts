import { refuseField } from "../refusal.ts";
import type { ListOrder, ListSpec } from "./spec.ts";

const ORDER = /^\s*([A-Za-z_][\w.]*)(?:\s+(asc|desc))?\s*$/;

/** Reads `order_by`: one field of the spec's orders, turned by asc or desc. Fails with INVALID_FIELD on `order_by`. */
export function parseOrder(text: string, spec: ListSpec): ListOrder {
  const [first] = Object.entries(spec.orders);
  if (first === undefined) throw new Error(`list ${spec.name} has no order`);
  if (text.trim() === "") return { field: first[0], descending: first[1].descending };
  const [, field = "", direction] = ORDER.exec(text) ?? [];
  if (!Object.hasOwn(spec.orders, field)) {
    const known = Object.keys(spec.orders).join(" or ");
    throw refuseField("order_by", `must be ${known}, with asc or desc after it or nothing`);
  }
  // Ascending is what order_by means without a word, as in SQL.
  return { field, descending: direction === "desc" };
}
