import type { Pool } from "pg";

import { PostgresEventStore } from "../connectors/postgres/index.ts";
import { type GlobalPosition, globalPosition } from "../engine/position.ts";
import type { StreamStore } from "./_stream-appends.ts";

const topic = "load-events";
const type = "load.DidSomething";
const partitions = 10;

/**
 * Refold's event store as a load test sees it: a stream is a tag, and its expected version the
 * position after which nothing with that tag may have come.
 */
export function refoldStreams(pool: Pool, value: Buffer): StreamStore {
  const store = new PostgresEventStore({ pool });
  const ends = new Map<string, GlobalPosition>();
  return {
    async append(stream, calls, events) {
      const tags = [`stream:${stream}`];
      const partition = Number(stream.slice(stream.lastIndexOf("-") + 1)) % partitions;
      const event = { type, topic, partition, key: stream, value, tags, correlationId: stream };
      const after = ends.get(stream) ?? globalPosition(0);
      const verdict = await store.append(
        {
          events: Array.from({ length: events }, (_, at) => ({
            ...event,
            id: `${stream}-${calls}-${at}`,
          })),
          condition: [{ tags, types: [type], after }],
        },
        { as: "command" },
      );
      if (verdict.outcome !== "appended") throw new Error(`${stream} ended: ${verdict.outcome}.`);
      ends.set(stream, verdict.events.at(-1)?.position ?? after);
    },
    async stored(streams) {
      const { rows } = await pool.query<{ n: bigint }>(
        "select count(*) as n from refold.events where key like $1",
        [`${streams}%`],
      );
      return Number(rows[0]?.n);
    },
  };
}
