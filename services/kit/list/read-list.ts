import { pageSize, pageToken, readPageToken } from "../page.ts";
import type { Scope } from "../pure/scope.ts";
import { Refusal } from "../refusal.ts";
import { parseFilter } from "./filter.ts";
import { parseOrder } from "./order.ts";
import type {
  Condition,
  FieldValue,
  ListQuery,
  ListSpec,
  PositionType,
  PositionValue,
} from "./spec.ts";

/** The fields every List request has. */
export interface ListRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter?: string;
  readonly orderBy?: string;
}

/** How one list reads its rows. */
export interface ListSource<T> {
  /** What the request's own fields ask for besides the filter. */
  readonly fixed?: readonly Condition[];
  readonly find: (query: ListQuery) => Promise<readonly T[]>;
  /** The values a page that ends with this item ends at, as the order's `position` says. */
  readonly positionOf: (item: T, order: string) => readonly PositionValue[];
}

/** A page and the token of the next one, empty on the last. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

/**
 * Reads one page of any list: filter, order, size and token by the same rules everywhere. The token holds for the
 * caller's tenant and accounts, this filter and this order only. Fails with INVALID_FIELD and INVALID_PAGE_TOKEN.
 */
export async function readList<T>(
  spec: ListSpec,
  scope: Pick<Scope, "tenant"> & { readonly accounts?: readonly string[] | undefined },
  request: ListRequest,
  source: ListSource<T>,
): Promise<ListPage<T>> {
  const conditions = [...(source.fixed ?? []), ...parseFilter(request.filter ?? "", spec)];
  const order = parseOrder(request.orderBy ?? "", spec);
  const { tenant, accounts = null } = scope;
  const bound = { list: spec.name, tenant, accounts, conditions, order };
  const types = spec.orders[order.field]?.position ?? [];
  const token = readPageToken(request.pageToken, bound, types.length);
  const after = token?.map((text, index) => positionValue(types[index], text));
  const size = pageSize(request.pageSize);
  const found = await source.find({ conditions, order, after, limit: size + 1 });
  const items = found.slice(0, size);
  const last = items.at(-1);
  if (found.length <= size || last === undefined) return { items, nextPageToken: "" };
  const end = source.positionOf(last, order.field).map(positionText);
  return { items, nextPageToken: pageToken(bound, end) };
}

/** What a request's own fields ask for, as conditions of `fixed`; an undefined one asks for nothing. */
export function equalTo(asked: Readonly<Record<string, FieldValue | undefined>>): Condition[] {
  return Object.entries(asked).flatMap(([field, value]) =>
    value === undefined ? [] : [{ field, operator: "=", value }],
  );
}

function positionText(value: PositionValue): string {
  return value instanceof Date ? `${value.getTime()}` : `${value}`;
}

/** The token's hash is no signature: somebody may write one with anything in it. */
function positionValue(type: PositionType | undefined, text: string): PositionValue {
  if (type === "id") return text;
  if (!/^-?\d{1,19}$/.test(text)) throw new Refusal("INVALID_PAGE_TOKEN");
  if (type === "int64") return BigInt.asIntN(64, BigInt(text));
  const date = new Date(Number(text));
  if (Number.isNaN(date.getTime())) throw new Refusal("INVALID_PAGE_TOKEN");
  return date;
}
