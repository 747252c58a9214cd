/** What a table shows: a heading and one text per row. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  /** Numbers are read from the right. */
  readonly right?: boolean;
}

/** Text in columns as wide as their widest cell; the last one is not padded. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
): readonly string[] {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => oneLine(column.cell(row)))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((line) => line[index]?.length ?? 0)),
  );
  return cells.map((line) =>
    line
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.right ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Control characters of a caller's text must not move the reader's cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, " ");
}

/** `name  value` lines, values below each other; empty values are left out. */
export function renderFields(fields: readonly (readonly [string, string])[]): readonly string[] {
  const shown = fields.filter(([, value]) => value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value)}`);
}
