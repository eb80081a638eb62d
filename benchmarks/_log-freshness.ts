import { randomUUID } from "node:crypto";

import type { Pool } from "pg";

import { PostgresAssignment, PostgresReadModelStore } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { PartitionAppend, RecordLog } from "../engine/ports/record-log.ts";
import { run } from "../engine/runner/run.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { Arrivals } from "./_arrivals.ts";
import { clock, rowsOf } from "./_catch-up.ts";
import { waitUntil } from "./_instance.ts";
import { watchRows } from "./_row-watch.ts";
import { seatBoard } from "./_seat-board.ts";
import { assertRows, SeatEvents } from "./_seat-events.ts";
import { type DueTurn, steadyTurns } from "./_steady-rate.ts";
import { tellChecked } from "./harness/tell.ts";
import { tellArrivals } from "./_event-freshness.ts";

export interface LogFreshness {
  readonly log: RecordLog;
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly keys: number;
  readonly eventsPerSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/**
 * Appends events to a log at a steady rate and tells how long after it was handed to the append each
 * is in a committed row: appender, runner and the watch of the rows share this process, which counts
 * against what is measured. One append is on its way while the next gathers. Rows are compared with
 * counts made without the engine.
 */
export async function measureLogFreshness(of: LogFreshness): Promise<void> {
  const { log, pool, databaseUrl, keys } = of;
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec, { keys });
  const { topic } = history;
  await log.ensureTopic({ name: topic.name, partitions: topic.partitions });
  await codec.prepare(topic);
  const store = new PostgresReadModelStore({ pool });
  const runner = await run({
    projections: [seatBoard],
    log,
    readModels: store,
    assignment: new PostgresAssignment({ pool }),
    codec,
    clock,
    random: { next: () => Math.random(), id: () => randomUUID() },
  });
  const generation = await store.open(readModelOf(seatBoard));
  const arrivals = new Arrivals();
  const ending = new AbortController();
  const place = { databaseUrl, projection: seatBoard.name, topic: topic.name };
  const watching = watchRows(
    { ...place, generation: generation.generation, arrivals },
    ending.signal,
  );
  await appendSteadily(of, { history, arrivals });
  await waitUntil("every event is in its row", async () => arrivals.arrived === history.made);
  ending.abort();
  await watching;
  await runner.stop();
  assertRows(await rowsOf(store, generation), history.expected);
  tellChecked(
    `${history.expected.size} rows equal counts made without the engine; every event was seen in ` +
      `its row, and ${arrivals.sinceRecorded.totalCount} of them were measured`,
  );
  tellArrivals("row", arrivals);
}

async function appendSteadily(
  { log, eventsPerSecond: perSecond, warmUpSeconds, seconds }: LogFreshness,
  { history, arrivals }: { readonly history: SeatEvents; readonly arrivals: Arrivals },
): Promise<void> {
  const turns = perSecond * (warmUpSeconds + seconds);
  for await (const due of steadyTurns({ perSecond, turns })) {
    if (due.length === 0) continue;
    const appends = history.take(due.length).filter(({ records }) => records.length > 0);
    const recordedAtMs = Date.now();
    await log.append(appends);
    expectAll(appends, { due, recordedAtMs, arrivals, measuredFrom: perSecond * warmUpSeconds });
  }
}

interface Appended {
  readonly due: readonly DueTurn[];
  readonly recordedAtMs: number;
  readonly arrivals: Arrivals;
  /** Index of the first turn that counts. */
  readonly measuredFrom: number;
}

/** An append's events are those of its turns, in whatever order: all count as the first was due. */
function expectAll(
  appends: readonly PartitionAppend[],
  { due, recordedAtMs, arrivals, measuredFrom }: Appended,
): void {
  const [{ dueAtMs, index } = { dueAtMs: recordedAtMs, index: 0 }] = due;
  const measured = index >= measuredFrom;
  for (const { partition, records } of appends) {
    for (const { headers } of records) {
      const [sequence] = headers;
      const at = BigInt(Buffer.from(sequence?.value ?? []).toString());
      arrivals.expect(String(partition), { sequence: at, dueAtMs, recordedAtMs, measured });
    }
  }
}
