/**
 * The other process of `soak`: it catches up with one log again and again, each time from nothing,
 * with every row compared, and tells each second what it holds.
 */
import { parseArgs } from "node:util";

import type { Pool } from "pg";

import { PostgresRecordLog } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import { catchUp } from "./_catch-up.ts";
import { fillLog } from "./_fill-log.ts";
import type { MemorySample } from "./_memory-curve.ts";
import { onOwnPostgres } from "./_own-postgres.ts";
import { seatBoard } from "./_seat-board.ts";
import { SeatEvents } from "./_seat-events.ts";

/** To the measuring process. */
export type FromCatchUp =
  | { readonly kind: "sample"; readonly sample: MemorySample }
  /** A catch-up is over, and its rows were right. */
  | { readonly kind: "round"; readonly events: number };

const { values } = parseArgs({ options: { events: { type: "string", default: "500000" } } });
const events = Number(values.events);

const tell = (message: FromCatchUp): void => {
  if (process.connected) process.send?.(message);
};

function sample(): MemorySample {
  const { rss, heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  return {
    atMs: Date.now(),
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    handles,
  };
}

/** As if nothing had ever been applied. */
async function forget(pool: Pool): Promise<void> {
  const { name } = seatBoard;
  await pool.query(`truncate read."${name}__g1"`);
  await pool.query("delete from refold.positions where consumer = $1", [name]);
  await pool.query("delete from refold.digests where projection = $1", [name]);
}

const ending = new AbortController();
// The other one says so, or is gone.
process.on("message", () => ending.abort());
process.on("disconnect", () => ending.abort());

await onOwnPostgres(async ({ pool }) => {
  await using log = new PostgresRecordLog({ pool });
  const codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });
  const history = new SeatEvents(codec);
  await fillLog({ log, codec, history, events, perCall: 2_000 });
  const sampling = setInterval(() => tell({ kind: "sample", sample: sample() }), 1_000);
  for (;;) {
    await catchUp({ pool, log, codec, history, into: "Postgres" });
    tell({ kind: "round", events });
    if (ending.signal.aborted) break;
    await forget(pool);
  }
  clearInterval(sampling);
});
if (process.connected) process.disconnect();
