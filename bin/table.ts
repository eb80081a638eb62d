const numeric = /^-?[\d.]+$/;

/** Columns in a fixed-width font; a column of numbers stands to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = headings.map((heading, at) => {
    const cells = rows.map((row) => row[at] ?? "");
    const width = Math.max(heading.length, ...cells.map((cell) => cell.length));
    const right = cells.length > 0 && cells.every((cell) => numeric.test(cell));
    return { width, right };
  });
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width, right }, at) => {
        const cell = cells[at] ?? "";
        return right ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [headings, ...rows].map(line).join("\n");
}
