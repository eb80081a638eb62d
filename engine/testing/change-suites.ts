import { crashPoints } from "../crash-points.ts";
import { JsonCodec } from "../memory/json-codec.ts";
import { MemoryRecordLog } from "../memory/record-log.ts";
import { partitionOf } from "../partitioner.ts";
import type { RowChange } from "../ports/codec.ts";
import type { ErasedChangeProjection } from "../projection.ts";
import { type DriverOptions, ProjectionDriver } from "./driver.ts";
import { assertEqual } from "./given.ts";
import type { Check } from "./suites.ts";

export interface ChangeSuiteOptions {
  readonly projection: ErasedChangeProjection;
  /** A history of the table that touches several keys, in the order of its commits. */
  readonly changes: readonly RowChange[];
  /** The rows that it leaves, by key: told by the test, not computed. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
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

class ChangeStage {
  readonly log = new MemoryRecordLog();
  readonly codec = new JsonCodec();
  readonly #options: ChangeSuiteOptions;

  constructor(options: ChangeSuiteOptions) {
    this.#options = options;
  }

  driver(more: Partial<DriverOptions> = {}): ProjectionDriver {
    const { projection, seed = 1 } = this.#options;
    return new ProjectionDriver({ projection, seed, log: this.log, codec: this.codec, ...more });
  }

  async open(): Promise<void> {
    const { name, partitions } = this.#options.projection.from;
    await this.log.ensureTopic({ name, partitions });
  }

  /** Appends as the capture does: a delete is followed by its tombstone. */
  async append(change: RowChange): Promise<void> {
    const { from: topic, key: keyOf } = this.#options.projection;
    const key = keyOf((change.after ?? change.before) as never);
    const partition = partitionOf(key, topic.partitions);
    const record = {
      timestampMs: change.sourceTimestampMs,
      key: Buffer.from(key, "utf8"),
      headers: [],
    };
    const values = [this.codec.encodeChange(topic, change), ...(change.op === "d" ? [null] : [])];
    const records = values.map((value) => ({ ...record, value }));
    await this.log.append([{ topic: topic.name, partition, records }]);
  }

  async assertRows(driver: ProjectionDriver): Promise<void> {
    const { projection, rows } = this.#options;
    const names = Object.keys(projection.row);
    const actual = [...(await driver.rows())].map(([key, row]) => {
      return [key, Object.fromEntries(names.map((name) => [name, row[name]]))] as const;
    });
    assertEqual(Object.fromEntries(actual), rows, `${projection.name} has other rows`);
    await driver.assertDigests();
  }
}

async function staged(options: ChangeSuiteOptions): Promise<ChangeStage> {
  const stage = new ChangeStage(options);
  await stage.open();
  return stage;
}

async function replayEqualsLive(options: ChangeSuiteOptions): Promise<void> {
  const stage = await staged(options);
  const live = stage.driver();
  for (const change of options.changes) {
    await stage.append(change);
    await live.catchUp();
  }
  await stage.assertRows(live);
  const replay = stage.driver({ seed: (options.seed ?? 1) + 1 });
  await replay.catchUp();
  await stage.assertRows(replay);
}

/** Snapshot rows have no place in the order of changes and come first, whole, as they do. */
async function duplicatesChangeNothing(options: ChangeSuiteOptions): Promise<void> {
  const stage = await staged(options);
  const snapshot = options.changes.filter((change) => change.snapshot);
  const streamed = options.changes.filter((change) => !change.snapshot);
  for (const change of [...snapshot, ...snapshot]) await stage.append(change);
  for (const change of streamed) {
    await stage.append(change);
    await stage.append(change);
  }
  const driver = stage.driver();
  await driver.catchUp();
  await stage.assertRows(driver);
}

async function crashesLoseNothing(options: ChangeSuiteOptions): Promise<void> {
  const { seed = 1, changes } = options;
  for (const point of crashPoints) {
    for (const visit of [1, 2, 5]) {
      const stage = await staged(options);
      for (const change of changes) await stage.append(change);
      const driver = stage.driver({ seed: seed + visit, crashAt: { point, visit } });
      await driver.catchUp();
      await stage.assertRows(driver);
    }
  }
}
