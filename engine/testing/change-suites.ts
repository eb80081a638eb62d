import type { AnyRow } from "../columns.ts";
import type { RowChange } from "../ports/codec.ts";
import type { ErasedChangeProjection } from "../projection.ts";
import { crashEverywhere } from "./crashes.ts";
import { ProjectionDriver } from "./driver.ts";
import { assertEqual } from "./given.ts";
import type { Check } from "./suites.ts";
import { foldChanges } from "./table-history.ts";
import { TableStage } from "./table-stage.ts";
import type { DriveOptions } from "./task-driver.ts";

export interface ChangeSuiteOptions {
  readonly projection: ErasedChangeProjection;
  /** A history of the table that touches several keys, in the order of its commits. */
  readonly changes: readonly RowChange[];
  /** The rows that it leaves, by key. Default: what `foldChanges` makes of it. */
  readonly rows?: Readonly<Record<string, AnyRow>>;
  /** Batch borders and crashes follow from it. */
  readonly seed?: number;
}

/** What holds for every projection of a table's row changes, whatever it folds. */
export function changeChecks(options: ChangeSuiteOptions): readonly Check[] {
  return [
    { name: "replay equals live", run: () => replayEqualsLive(options) },
    { name: "duplicate delivery changes nothing", run: () => duplicatesChangeNothing(options) },
    {
      name: "a crash between any two steps loses and doubles nothing",
      run: () => crashesLoseNothing(options),
    },
  ];
}

const stageOf = ({ projection }: ChangeSuiteOptions): Promise<TableStage> =>
  TableStage.open({ topic: projection.from, key: projection.key });

function driverOf(
  { projection, seed = 1 }: ChangeSuiteOptions,
  { log, codec }: TableStage,
  drive: DriveOptions = {},
): ProjectionDriver {
  return new ProjectionDriver({ projection, seed, log, codec, ...drive });
}

async function assertRows(driver: ProjectionDriver, options: ChangeSuiteOptions): Promise<void> {
  const { projection, changes } = options;
  const rows = options.rows ?? Object.fromEntries(foldChanges(projection, changes));
  const names = Object.keys(projection.row);
  const actual = [...(await driver.rows())].map(([key, row]) => {
    return [key, Object.fromEntries(names.map((name) => [name, row[name]]))] as const;
  });
  assertEqual(Object.fromEntries(actual), rows, `${projection.name} has other rows`);
  await driver.assertDigests();
}

async function replayEqualsLive(options: ChangeSuiteOptions): Promise<void> {
  const stage = await stageOf(options);
  const live = driverOf(options, stage);
  for (const change of options.changes) {
    await stage.append(change);
    await live.catchUp();
  }
  await assertRows(live, options);
  const replay = driverOf(options, stage, { seed: (options.seed ?? 1) + 1 });
  await replay.catchUp();
  await assertRows(replay, options);
}

/** Snapshot rows have no place in the order of changes and come first, whole, as they do. */
async function duplicatesChangeNothing(options: ChangeSuiteOptions): Promise<void> {
  const stage = await stageOf(options);
  const snapshot = options.changes.filter((change) => change.snapshot);
  const streamed = options.changes.filter((change) => !change.snapshot);
  for (const change of [...snapshot, ...snapshot]) await stage.append(change);
  for (const change of streamed) {
    await stage.append(change);
    await stage.append(change);
  }
  const driver = driverOf(options, stage);
  await driver.catchUp();
  await assertRows(driver, options);
}

async function crashesLoseNothing(options: ChangeSuiteOptions): Promise<void> {
  await crashEverywhere("projection", options.seed ?? 1, async (drive) => {
    const stage = await stageOf(options);
    for (const change of options.changes) await stage.append(change);
    const driver = driverOf(options, stage, drive);
    await driver.finish();
    await assertRows(driver, options);
    return driver;
  });
}
