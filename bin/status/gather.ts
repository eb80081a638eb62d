import type { Pool } from "pg";

import { RefoldError } from "../../engine/errors.ts";
import type { AnyProcessor } from "../../engine/processor.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { Drifts } from "../../engine/ports/drifts.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { Rebuilds } from "../../engine/ports/rebuilds.ts";
import { openRebuildStates } from "../../engine/rebuild-states.ts";
import type { DeadLetters } from "../../engine/ports/dead-letters.ts";
import type { EffectLedger } from "../../engine/ports/effect-ledger.ts";
import type { ProcessorStore } from "../../engine/ports/processor-store.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import type { ReadModelStore } from "../../engine/ports/read-model-store.ts";
import type { PartitionBounds, RecordLog } from "../../engine/ports/record-log.ts";
import type { StatusBoard } from "../../engine/ports/status-board.ts";
import type { StoreHold } from "../../engine/ports/store-hold.ts";
import type { BuildFacts } from "./builds-report.ts";
import type { ClientTls } from "../tls/client-tls.ts";
import { gatherRedis } from "./gather-redis.ts";
import type { CaptureFacts, ConsumerFacts, StatusFacts } from "./report.ts";
import type { StoredPosition } from "./stored-position.ts";

export interface StatusSources {
  readonly pool: Pool;
  readonly log: Pick<RecordLog, "bounds">;
  readonly reader: Pick<ReadModelReader, "positions">;
  readonly processorStore: Pick<ProcessorStore, "positions">;
  readonly board: Pick<StatusBoard, "read">;
  readonly hold: Pick<StoreHold, "current">;
  readonly deadLetters: Pick<DeadLetters, "counts">;
  readonly projections: readonly AnyProjection[];
  readonly processors: readonly AnyProcessor[];
  readonly slot: string;
  /** undefined: there is no Redis. */
  readonly redisUrl: string | undefined;
  readonly redisTls: ClientTls | undefined;
  readonly readModelStore: ReadModelStore;
  readonly generations: Pick<Generations, "list">;
  readonly rebuilds: Pick<Rebuilds, "list">;
  readonly drifts: Pick<Drifts, "list">;
  readonly effectLedger: Pick<EffectLedger, "counts">;
}

/** Reads everything that the status is made of, without changing any of it. */
export async function gatherStatus(sources: StatusSources): Promise<StatusFacts> {
  const [consumers, board, capture, hold, deadLetters, builds, effects, nowMs] = await Promise.all([
    gatherConsumers(sources),
    sources.board.read(),
    gatherCapture(sources),
    sources.hold.current(),
    sources.deadLetters.counts(),
    gatherBuilds(sources),
    sources.effectLedger.counts(),
    databaseNowMs(sources.pool),
  ]);
  const bounds = await gatherBounds(consumers, sources.log);
  // After the positions in Postgres: what Redis lacks of them it really lacks.
  const redis = await gatherRedis({ ...sources, url: sources.redisUrl, tls: sources.redisTls });
  const kept = { bounds, board, hold, deadLetters, builds, effects };
  return { nowMs, consumers, capture, redis, ...kept };
}

/** One projection has one open rebuild at most. */
const rebuildsMax = 1_000;

async function gatherBuilds(sources: StatusSources): Promise<BuildFacts> {
  const [generations, rebuilds, drifts] = await Promise.all([
    sources.generations.list(),
    sources.rebuilds.list({ states: openRebuildStates, limit: rebuildsMax }),
    sources.drifts.list(),
  ]);
  return { generations, rebuilds, drifts };
}

async function gatherConsumers(sources: StatusSources): Promise<ConsumerFacts[]> {
  const projections = sources.projections.map(async (one): Promise<ConsumerFacts> => ({
    name: one.name,
    kind: "projection",
    topics: topicsOf(one),
    positions: await noneYet(sources.reader.positions(one.name)),
  }));
  const processors = sources.processors.map(async (one): Promise<ConsumerFacts> => ({
    name: one.name,
    kind: "processor",
    topics: topicsOf(one),
    positions: await noneYet(sources.processorStore.positions(one.name)),
  }));
  return Promise.all([...projections, ...processors]);
}

function topicsOf(one: AnyProjection | AnyProcessor): ConsumerFacts["topics"] {
  const topics = one.kind === "events" ? one.from : [one.from];
  return topics.map(({ name, partitions }) => ({ name, partitions }));
}

/** What was never opened has no positions; that is an answer here, not a failure. */
async function noneYet(
  positions: Promise<readonly StoredPosition[]>,
): Promise<readonly StoredPosition[]> {
  try {
    return await positions;
  } catch (error) {
    if (error instanceof RefoldError && error.code === "no-generation") return [];
    throw error;
  }
}

async function gatherBounds(
  consumers: readonly ConsumerFacts[],
  log: Pick<RecordLog, "bounds">,
): Promise<ReadonlyMap<string, readonly PartitionBounds[]>> {
  const names = new Set(consumers.flatMap((one) => one.topics.map((topic) => topic.name)));
  const bounds = new Map<string, readonly PartitionBounds[]>();
  for (const name of names) {
    try {
      bounds.set(name, await log.bounds(name));
    } catch (error) {
      if (!(error instanceof RefoldError) || error.code !== "topic-unknown") throw error;
    }
  }
  return bounds;
}

interface SlotRow {
  readonly active: boolean;
  readonly wal_status: string | null;
  readonly lag: string | null;
}

async function gatherCapture({ pool, slot }: StatusSources): Promise<CaptureFacts | undefined> {
  const { rows } = await pool.query<SlotRow>(
    `select active, wal_status, (pg_current_wal_lsn() - confirmed_flush_lsn)::text as lag
     from pg_replication_slots where slot_name = $1 and database = current_database()`,
    [slot],
  );
  const row = rows[0];
  if (!row) return undefined;
  const lost = row.wal_status === "lost" || row.lag === null;
  return { slot, active: row.active, lagBytes: lost ? undefined : Math.max(0, Number(row.lag)) };
}

/** The reports' times are the database's. */
export async function databaseNowMs(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ now: string }>(
    "select extract(epoch from clock_timestamp()) * 1000 as now",
  );
  return Number(rows[0]?.now);
}
