/**
 * Lays rows out in columns of equal width.
 * @param header Column titles.
 * @param rows Cells as text, one list a row, as many as there are titles.
 * @param right Indexes of the columns to align at the right, as figures are read.
 */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))
      .join("  ").trimEnd();
  return [line(header), ...rows.map(line)].join("\n");
}
