/**
 * One row as of a past time, out of a history of 1,000,000 seat events on 2,000 keys and 10
 * partitions in the embedded log, with snapshots taken and audited by policy (every 250,000 events):
 * random keys at random times, one after the other. Each row is compared with a count by hand
 * before a figure is printed.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";

import {
  PostgresComparisons,
  PostgresEventStore,
  PostgresGenerations,
  PostgresReadModelStore,
  PostgresRecordLog,
  PostgresSnapshots,
} from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { KeyHistory } from "../engine/history/refold-key.ts";
import { defaultSnapshotLimits, SnapshotPolicy } from "../engine/history/snapshot-policy.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import { noMetrics } from "../engine/ports/metrics.ts";
import { Replay } from "../engine/replay/replay.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { clock } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import { type OwnPostgres, onOwnPostgres } from "./_own-postgres.ts";
import { seatBoard } from "./_seat-board.ts";
import { keys, SeatEvents, topic } from "./_seat-events.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    asks: { type: "string", default: "200" },
    // Without snapshots, every row is folded from the log's beginning.
    snapshots: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const [total, asks] = [Number(values.events), Number(values.asks)];
const random = { next: () => Math.random(), id: () => randomUUID() };
/** Recorded time of the event that was made n-th, from 0. */
const timeOf = (made: number): number => 1_700_000_000_000 + made;

await onOwnPostgres(measure);

async function measure({ pool }: OwnPostgres): Promise<void> {
  await using log = new PostgresRecordLog({ pool });
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const snapshots = new PostgresSnapshots({ pool });
  const eventStore = new PostgresEventStore({ pool });
  const source = { log, codec, eventStore, snapshots, clock, random };
  const policy = new SnapshotPolicy({
    ...defaultSnapshotLimits,
    ...source,
    comparisons: new PostgresComparisons({ pool }),
    generations: new PostgresGenerations({ pool }),
    projections: [seatBoard],
    isMine: () => true,
    metrics: noMetrics,
    report: (message) => console.log(message),
  });
  const history = new SeatEvents(codec);
  while (history.made < total) {
    const events = Math.min(total, history.made + defaultSnapshotLimits.everyRecords);
    await fillLog({ log, codec, history, events, perCall: 2_000 });
    await follow({ pool, log, codec });
    if (values.snapshots) await policy.look(seatBoard);
  }
  const rows = new KeyHistory({ ...source, projections: [seatBoard], captureGraceMs: 0 });
  const before = process.cpuUsage();
  const taken = await timesOf(rows);
  const { user, system } = process.cpuUsage(before);
  const at = (share: number): string => (taken[Math.floor(share * taken.length)] ?? 0).toFixed(1);
  const kept = (await snapshots.list(seatBoard.name)).length;
  console.log(
    `at: one row of ${total} events with ${kept} snapshots, ${asks} asked: p50 ${at(0.5)} ms, ` +
      `p95 ${at(0.95)} ms, max ${(taken.at(-1) ?? 0).toFixed(1)} ms, ` +
      `processor here ${((user + system) / 1_000 / asks).toFixed(1)} ms each, rows equal`,
  );
}

/** Brings the serving generation to the log's end. */
async function follow({ pool, log, codec }: OwnPostgresLog): Promise<void> {
  const store = new PostgresReadModelStore({ pool });
  const generation = await store.open(readModelOf(seatBoard));
  const shared = { projection: seatBoard, generation, store, log, codec, clock, random };
  await using replay = await Replay.begin({ ...shared, consumer: "benchmark" });
  const bounds = await log.bounds(topic.name);
  const ends = bounds.map(({ partition, end }) => [`${topic.name}/${partition}`, end] as const);
  await replay.to(new Map(ends), { signal: new AbortController().signal });
}

interface OwnPostgresLog extends Pick<OwnPostgres, "pool"> {
  readonly log: PostgresRecordLog;
  readonly codec: ReturnType<typeof avroCodec>;
}

/** Milliseconds of each ask, in rising order. */
async function timesOf(rows: KeyHistory): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let ask = 0; ask < asks; ask += 1) {
    const made = Math.floor(Math.random() * (total - 5 * keys));
    const key = Math.floor(Math.random() * keys);
    const began = performance.now();
    const { row } = await rows.asOf(seatBoard.name, `MOD-${key}`, timeOf(made));
    taken.push(performance.now() - began);
    const expected = expectedAt(key, made);
    const actual = row && { held: row["held"], confirmed: row["confirmed"] };
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      throw new Error(`MOD-${key} after ${made}: ${JSON.stringify(actual)} is wrong.`);
    }
  }
  return taken.sort((one, other) => one - other);
}

/**
 * The n-th event is of key n modulo the keys: first the offer, then rounds of held, completed, held,
 * cancelled.
 */
function expectedAt(key: number, made: number): { held: number; confirmed: number } | undefined {
  if (made < key) return undefined;
  const turns = Math.floor((made - key) / keys);
  const [rounds, rest] = [Math.floor(turns / 4), turns % 4];
  return { held: rest % 2, confirmed: rounds + Number(rest >= 2) };
}
