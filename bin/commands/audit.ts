import type { Command } from "commander";

import { auditKey, auditWhole, type AuditVerdict } from "../../engine/history/audit.ts";
import type { DifferingRow } from "../../engine/rebuild/index.ts";
import { exitCodes } from "../exit-codes.ts";
import {
  DifferenceSamples,
  differenceJson,
  differencesTable,
} from "../history/differences-text.ts";
import { servingGeneration } from "../history/serving.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { projectionNamed } from "../rebuild/asking.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import { openHistory } from "../system/history.ts";

interface AuditOptions extends OptionsOnDatabase {
  readonly key?: string;
  readonly fromBeginning?: true;
  readonly limit: number;
  readonly rowsMax: number;
  readonly json?: true;
}

const sides = { live: "stored", shadow: "log" } as const;

/** `refold audit <projection>`: do the stored rows equal what the log gives? */
export function auditCommand(): Command {
  return commandOnDatabase("audit")
    .description("compare a projection's stored rows with the log, folded up to where they stand")
    .argument("<projection>")
    .option("--key <key>", "only this row")
    .option("--from-beginning", "trust no snapshot: fold the whole log")
    .option(
      "--limit <number>",
      "show at most so many rows that differ",
      wholeNumber(1, 100_000),
      20,
    )
    .option("--rows-max <number>", "refuse more rows than this", wholeNumber(1, 5_000_000), 200_000)
    .option("--json", "as JSON")
    .action((name: string, options: AuditOptions) =>
      options.key === undefined ? auditAll(name, options) : auditOne(name, options.key, options),
    );
}

async function auditAll(name: string, options: AuditOptions): Promise<void> {
  const projection = projectionNamed(application.projections, name);
  await using stores = await connect("audit", options);
  const generation = await servingGeneration(stores.generations, name);
  const samples = new DifferenceSamples(options.limit);
  const ports = { clock: systemClock, random: new SystemRandom() };
  const verdict = await auditWhole(
    { ...stores, ...ports },
    {
      projection,
      generation,
      from: options.fromBeginning ? "beginning" : "snapshot",
      rowsMax: options.rowsMax,
      onDrift: samples.take,
    },
  );
  const isSound = differing(verdict) === 0 && verdict.digestsDiffering.length === 0;
  if (!isSound) process.exitCode = exitCodes.failed;
  print(
    options.json
      ? jsonOf(verdictJson(verdict, samples.rows))
      : verdictText(name, verdict, samples.rows),
  );
}

async function auditOne(name: string, key: string, options: AuditOptions): Promise<void> {
  const projection = projectionNamed(application.projections, name);
  await using stores = await connect("audit", options);
  const generation = await servingGeneration(stores.generations, name);
  using history = openHistory(stores, application.projections);
  const { rows } = history;
  const drift = await auditKey({ ...stores, rows }, { projection, generation, key });
  if (drift) process.exitCode = exitCodes.failed;
  if (options.json) return print(jsonOf({ key, sound: !drift, drift: drift && jsonOfRow(drift) }));
  print(
    drift
      ? `${differencesTable([drift], sides)}\nrefold heal ${name} --key ${key} mends it.`
      : `${key} of ${name} is as the log has it.`,
  );
}

const differing = ({ missing, extra, changed }: AuditVerdict): number => missing + extra + changed;

function verdictText(
  name: string,
  verdict: AuditVerdict,
  samples: readonly DifferingRow[],
): string {
  const { storedRows, missing, extra, changed, digestsDiffering, from } = verdict;
  const since = from === "beginning" ? "the log's beginning" : `snapshot ${from}`;
  const against = `${storedRows} stored rows of ${name}, against the log from ${since}`;
  const digests =
    digestsDiffering.length === 0
      ? []
      : [`digests that aren't their rows': key buckets ${digestsDiffering.join(", ")}`];
  if (differing(verdict) === 0) {
    return [`${against}: they are equal.`, ...digests].join("\n");
  }
  const shown = samples.length < differing(verdict) ? [`(the first ${samples.length})`] : [];
  return [
    `${against}: ${missing} missing, ${extra} that the log doesn't give, ${changed} changed.`,
    differencesTable(samples, sides),
    ...shown,
    ...digests,
    `refold heal ${name} --key <key> mends a row; refold rebuild ${name} --accept all of them.`,
  ].join("\n");
}

function verdictJson(verdict: AuditVerdict, samples: readonly DifferingRow[]) {
  const { positions, fields, from, ...counts } = verdict;
  return {
    ...counts,
    sound: differing(verdict) === 0 && verdict.digestsDiffering.length === 0,
    from: from === "beginning" ? from : String(from),
    fields: Object.fromEntries(fields),
    positions: positions.map(({ topic, partition, position }) => ({
      topic,
      partition,
      offset: position.nextOffset,
    })),
    rows: samples.map(jsonOfRow),
  };
}

const jsonOfRow = (row: DifferingRow) => differenceJson(row, sides);

const print = (text: string): void => void process.stdout.write(`${text}\n`);
