import { changedColumns } from "../../engine/history/changed-columns.ts";
import type { RowStep, RowStory, StoredRow } from "../../engine/history/row-story.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { shownRow, valueText } from "../history/rows-text.ts";
import { table } from "../table.ts";

/** What made a row what it is, for people: each record with what it changed. */
export function storyText(projection: AnyProjection, key: string, story: RowStory): string {
  const { steps, earlier, source } = story;
  const count = earlier + steps.length;
  const records = count === 1 ? "1 record" : `${count} records`;
  const head = `${projection.name} ${key}: ${records}, from the ${source}`;
  const left = earlier === 0 ? [] : [`(${earlier} earlier ones: --steps-max tells more)`];
  const lines = steps.flatMap((step) => ["", ...stepLines(projection, step)]);
  return [head, ...left, ...lines, "", ...endLines(projection, story)].join("\n");
}

function stepLines(projection: AnyProjection, step: RowStep): string[] {
  const { event, by, recordedAtMs, isApplied } = step;
  const time = new Date(recordedAtMs).toISOString();
  const waits = isApplied === false ? "  (not applied yet)" : "";
  const correlation =
    event === undefined ? "" : `  ${event.id}  correlation ${event.correlationId}`;
  return [
    `${time}  ${by}  ${placeText(step)}${correlation}${waits}`,
    ...changeLines(projection, step),
  ];
}

function placeText({ topic, partition, sequence, offset }: RowStep): string {
  return `${topic}/${partition}${sequence > 0 ? `:${sequence}` : `@${offset}`}`;
}

function changeLines(projection: AnyProjection, { before, after }: RowStep): string[] {
  if (after === undefined) return [before === undefined ? "    no row" : "    the row is gone"];
  const { row: columns } = projection;
  const [was, is] = [before && shownRow(columns, before), shownRow(columns, after)];
  const changes = changedColumns(projection, was, is);
  if (changes.length === 0)
    return [before === undefined ? "    a row of nulls" : "    nothing changed"];
  return changes.map(({ column, before: from, after: to }) =>
    before === undefined
      ? `    ${column}: ${valueText(to)}`
      : `    ${column}: ${valueText(from)} -> ${valueText(to)}`,
  );
}

function endLines(projection: AnyProjection, { row, stored }: RowStory): string[] {
  if (stored === undefined) return row === undefined ? ["There was no such row then."] : [];
  const { generation, differs } = stored;
  if (!differs) return [`Generation ${generation} serves the same row.`];
  return [
    `Generation ${generation} serves another row than these records make:`,
    differenceTable(projection, stored),
    "refold audit tells whether more rows differ, and refold dlq list what was set aside.",
  ];
}

function differenceTable(projection: AnyProjection, { row, expected }: StoredRow): string {
  const { row: columns } = projection;
  if (row === undefined || expected === undefined) {
    const [stands, should] = [row, expected].map((one) => (one === undefined ? "no row" : "a row"));
    return `    it has ${stands} where there should be ${should}`;
  }
  const [stands, should] = [shownRow(columns, row), shownRow(columns, expected)];
  const cells = changedColumns(projection, stands, should).map(({ column, before, after }) => [
    column,
    valueText(before),
    valueText(after),
  ]);
  return table(["column", "served", "folded"], cells);
}
