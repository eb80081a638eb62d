import type { Command } from "commander";

import { preview, type PreviewVerdict } from "../../engine/history/preview.ts";
import type { DifferingRow } from "../../engine/rebuild/index.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import {
  DifferenceSamples,
  differenceJson,
  differencesTable,
} from "../history/differences-text.ts";
import { projectionIn } from "../history/projection-file.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { projectionNamed } from "../rebuild/asking.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

interface PreviewOptions extends OptionsOnDatabase {
  readonly with: string;
  readonly limit: number;
  readonly rowsMax: number;
  readonly json?: true;
}

const sides = { live: "current", shadow: "changed" } as const;

/** `refold preview <projection> --with <file>`: what a changed projection would make of history. */
export function previewCommand(): Command {
  return commandOnDatabase("preview")
    .description("fold history by a changed projection, too, and show what would be different")
    .argument("<projection>")
    .requiredOption("--with <file>", "a module that exports the changed one (.ts or .js)")
    .option(
      "--limit <number>",
      "show at most so many rows that differ",
      wholeNumber(1, 100_000),
      20,
    )
    .option("--rows-max <number>", "refuse more rows than this", wholeNumber(1, 5_000_000), 200_000)
    .option("--json", "as JSON")
    .action(show);
}

async function show(name: string, options: PreviewOptions): Promise<void> {
  const current = projectionNamed(application.projections, name);
  const changed = await projectionIn(options.with, name);
  await using stores = await connect("preview", options);
  const samples = new DifferenceSamples(options.limit);
  const source = { ...stores, clock: systemClock, random: new SystemRandom() };
  const { rowsMax } = options;
  const verdict = await preview(source, {
    current,
    changed,
    rowsMax,
    onDifference: samples.take,
  });
  print(
    options.json
      ? jsonOf(verdictJson(verdict, samples.rows))
      : verdictText({ current, changed }, verdict, samples.rows),
  );
}

interface Pair {
  readonly current: AnyProjection;
  readonly changed: AnyProjection;
}

function verdictText(
  { current, changed }: Pair,
  verdict: PreviewVerdict,
  samples: readonly DifferingRow[],
): string {
  const { currentRows, changedRows, added, removed, columns, cuts } = verdict;
  const differing = added + removed + verdict.changed;
  const records = [...cuts.values()].reduce((sum, cut) => sum + cut, 0n);
  const shown = samples.length < differing ? [`(the first ${samples.length} rows)`] : [];
  return [
    `${current.name}, version ${current.version} and ${changed.version}, over the log up to ` +
      `offset ${records} of all partitions together`,
    `${currentRows} rows become ${changedRows}: ${added} added, ${removed} removed, ` +
      `${verdict.changed} changed`,
    ...named("columns added, or of another type", columns.added),
    ...named("columns removed, or of another type", columns.removed),
    ...[...verdict.fields].map(([field, rows]) => `  ${field} differs in ${rows} rows`),
    ...(samples.length > 0 ? [differencesTable(samples, sides)] : []),
    ...shown,
  ].join("\n");
}

const named = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${what}: ${names.join(", ")}`];

function verdictJson(verdict: PreviewVerdict, samples: readonly DifferingRow[]) {
  const { cuts, fields, columns, ...counts } = verdict;
  return {
    ...counts,
    fields: Object.fromEntries(fields),
    columnsAdded: columns.added,
    columnsRemoved: columns.removed,
    positions: Object.fromEntries([...cuts].map(([place, cut]) => [place, cut])),
    rows: samples.map((row) => differenceJson(row, sides)),
  };
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
