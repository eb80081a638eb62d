import type { Command } from "commander";

import { FatalError } from "../../engine/errors.ts";
import type { History } from "../../engine/history/past-reader.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { CommandFailure } from "../command-failure.ts";
import { exitCodes } from "../exit-codes.ts";
import { csvHeader, csvRow, jsonRow, type KeyedRow, rowsTable } from "../history/rows-text.ts";
import { timeNamed } from "../history/time-named.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { projectionNamed } from "../rebuild/asking.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import { openHistory } from "../system/history.ts";

interface AtOptions extends OptionsOnDatabase {
  readonly key?: string;
  readonly json?: true;
  readonly csv?: true;
  readonly rowsMax: number;
}

/** `refold at <time> <projection>`: a read model, or one row of it, as it was. */
export function atCommand(): Command {
  return commandOnDatabase("at")
    .description("a projection's rows as they were at a time: what was recorded until then, folded")
    .argument("<time>", "an ISO 8601 time (UTC without a zone), or a time ago: 30m, 24h, 7d")
    .argument("<projection>")
    .option("--key <key>", "only this row")
    .option("--json", "as JSON, a line for each row")
    .option("--csv", "as CSV with a header")
    .option("--rows-max <number>", "refuse more rows than this", wholeNumber(1, 5_000_000), 200_000)
    .action(showRows);
}

async function showRows(time: string, name: string, options: AtOptions): Promise<void> {
  if (options.json && options.csv) {
    throw new CommandFailure("usage", "Choose --json or --csv: rows are shown once.");
  }
  const atMs = timeNamed(time);
  const projection = projectionNamed(application.projections, name);
  await using stores = await connect("at", options);
  const { rowsMax, key } = options;
  using history = openHistory(stores, application.projections, { rowsMax });
  const rows =
    key === undefined
      ? allRows(history, projection, atMs)
      : oneRow(history, projection, { key, atMs });
  await show(projection, rows, options);
}

async function* oneRow(
  history: History,
  { name }: AnyProjection,
  { key, atMs }: { readonly key: string; readonly atMs: number },
): AsyncGenerator<readonly KeyedRow[]> {
  const { row } = await history.rowAsOf(name, key, atMs);
  if (row === undefined) {
    process.exitCode = exitCodes.nothingThere;
    process.stderr.write(`refold: ${name} had no row ${key} then.\n`);
  } else yield [{ key, row }];
}

async function* allRows(
  history: History,
  projection: AnyProjection,
  atMs: number,
): AsyncGenerator<readonly KeyedRow[]> {
  try {
    const { store, generation } = await history.models.asOf(projection, atMs);
    yield* store.scan(generation);
  } catch (error) {
    if (!(error instanceof FatalError) || error.code !== "history-too-large") throw error;
    throw new CommandFailure("failed", `${error.message} --rows-max allows more.`, {
      cause: error,
    });
  }
}

async function show(
  { row: columns }: AnyProjection,
  pages: AsyncIterable<readonly KeyedRow[]>,
  { json, csv, key }: AtOptions,
): Promise<void> {
  const shown: KeyedRow[] = [];
  if (csv) print(csvHeader(columns));
  for await (const page of pages) {
    for (const row of page) {
      if (csv) print(csvRow(columns, row));
      else if (json) print(jsonRow(columns, row));
      else shown.push(row);
    }
  }
  const isMissing = key !== undefined && shown.length === 0;
  if (!csv && !json && !isMissing) print(rowsTable(columns, shown));
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
