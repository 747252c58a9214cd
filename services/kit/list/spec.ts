/** What a documented field of a list holds, and so what it can be compared with. */
export type FieldType =
  | "string"
  | "int64"
  | "timestamp"
  | "boolean"
  | {
      /** Values as they are stored, for example `SUCCEEDED`. */
      readonly values: readonly string[];
      /** What the proto's names begin with, for example `PAYMENT_STATUS_`; callers may leave it out. */
      readonly prefix: string;
    };

/** How a stored row and a literal are compared. */
export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** A value of a field, in the type it is stored in. */
export type FieldValue = string | bigint | boolean | Date;

/** One comparison of a filter; all of a filter's hold at once. */
export interface Condition {
  readonly field: string;
  readonly operator: Operator;
  readonly value: FieldValue;
}

/** What tells rows of equal order apart, so that a page ends at exactly one row. */
export type PositionType = "time" | "int64" | "id";

/** A value of a page's last row. */
export type PositionValue = string | bigint | Date;

/** The fields a list documents. Everything else in `filter` and `order_by` is refused with these named. */
export interface ListSpec {
  /** Part of page tokens: one list's token is refused by another. */
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldType>>;
  /** Orders that an index serves; the first is the default. `position` are the values a page ends at, in sort order. */
  readonly orders: Readonly<
    Record<string, { readonly descending: boolean; readonly position: readonly PositionType[] }>
  >;
}

/** The order of a page. */
export interface ListOrder {
  readonly field: string;
  readonly descending: boolean;
}

/** What a store is asked for. */
export interface ListQuery {
  readonly conditions: readonly Condition[];
  readonly order: ListOrder;
  /** The last row of the page before; undefined for the first page. */
  readonly after: readonly PositionValue[] | undefined;
  /** One more than the page holds, which tells whether there is a next one. */
  readonly limit: number;
}
