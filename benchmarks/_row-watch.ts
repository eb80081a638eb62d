import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "pg";

import type { Arrivals } from "./_arrivals.ts";

export interface RowWatchOptions {
  readonly databaseUrl: string;
  readonly projection: string;
  readonly generation: number;
  readonly topic: string;
  /** By partition, as text. */
  readonly arrivals: Arrivals;
}

/** From the begin of one look to that of the next. */
const everyMs = 2;

/**
 * Looks how far a projection's rows have come, over a connection of its own: a position is committed
 * with the rows that it stands for, so who sees it sees them. What is seen is there for up to the
 * pause between two looks and the time of one, which counts against what is measured.
 */
export async function watchRows(options: RowWatchOptions, signal: AbortSignal): Promise<void> {
  const { databaseUrl, projection, generation, topic, arrivals } = options;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    while (!signal.aborted) {
      const beganMs = performance.now();
      const { rows } = await client.query<[number, string]>({
        name: "rows",
        text: `select partition, next_sequence::text from refold.positions
          where consumer = $1 and generation = $2 and topic = $3 and next_sequence is not null`,
        values: [projection, generation, topic],
        rowMode: "array",
      });
      const atMs = Date.now();
      for (const [partition, next] of rows) {
        arrivals.reach(String(partition), BigInt(next) - 1n, atMs);
      }
      await sleep(Math.max(0, everyMs - (performance.now() - beganMs)));
    }
  } finally {
    await client.end();
  }
}
