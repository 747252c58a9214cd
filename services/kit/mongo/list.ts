import type { Document, Filter } from "mongodb";
import type { Condition, ListQuery, Operator, PositionValue } from "../list/spec.ts";

/** Where a list's documented fields lie in its rows. */
export interface ListColumns {
  /** Path of each field of the spec. */
  readonly fields: Readonly<Record<string, string>>;
  /** Paths to sort by, of each order of the spec, as its `position`; together with the tenant they are an index. */
  readonly sorts: Readonly<Record<string, readonly string[]>>;
}

const OPERATORS: Readonly<Record<Operator, string>> = {
  "=": "$eq",
  "!=": "$ne",
  "<": "$lt",
  "<=": "$lte",
  ">": "$gt",
  ">=": "$gte",
};

/** The rows of the tenant that meet the conditions and come after the page before. */
export function listFilter<Row>(
  scope: { readonly tenant: string },
  query: ListQuery,
  columns: ListColumns,
): Filter<Row> {
  return listWhere<Row>([{ "_id.tenant": scope.tenant }, ...listConditions(query, columns)]);
}

/** Rows that meet all of these. Paths come from columns, so the compiler cannot follow them to the row's type. */
export function listWhere<Row>(conditions: readonly object[]): Filter<Row> {
  return { $and: [...conditions] } as unknown as Filter<Row>;
}

/** The same without the tenant, for a list that has to say more about its rows. */
export function listConditions(query: ListQuery, columns: ListColumns): Document[] {
  return [
    ...query.conditions.map((condition) => comparison(condition, columns)),
    ...(query.after === undefined
      ? []
      : beyond(sortPaths(query, columns), query.after, query.order.descending)),
  ];
}

/** The order of the query; ties are broken by the id, so that it is total. */
export function listSort(query: ListQuery, columns: ListColumns): Record<string, 1 | -1> {
  const direction = query.order.descending ? -1 : 1;
  return Object.fromEntries(sortPaths(query, columns).map((path) => [path, direction]));
}

function sortPaths(query: ListQuery, { sorts }: ListColumns): readonly string[] {
  const paths = sorts[query.order.field];
  if (paths === undefined) throw new Error(`no columns for the order ${query.order.field}`);
  return paths;
}

function comparison({ field, operator, value }: Condition, { fields }: ListColumns): Document {
  const path = fields[field];
  if (path === undefined) throw new Error(`no column for the field ${field}`);
  return { [path]: { [OPERATORS[operator]]: value } };
}

/** Rows after a position: greater in the first path, or equal there and greater in the next. */
function beyond(
  paths: readonly string[],
  position: readonly PositionValue[],
  descending: boolean,
): Document[] {
  const operator = descending ? "$lt" : "$gt";
  const branches = paths.map((path, index) => ({
    ...Object.fromEntries(paths.slice(0, index).map((before, at) => [before, position[at]])),
    [path]: { [operator]: position[index] },
  }));
  const [first = "", ...rest] = paths;
  if (rest.length === 0) return branches;
  // The bound on the first path lets the index begin where the page does.
  return [{ [first]: { [`${operator}e`]: position[0] } }, { $or: branches }];
}
