import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "pg";

import type { Window } from "./_window.ts";

interface Look {
  readonly atMs: number;
  /** By partition: the last sequence that was appended, and the last that what serves has applied. */
  readonly lanes: ReadonlyMap<number, { readonly appended: bigint; readonly applied: bigint }>;
}

interface LaneRow {
  readonly partition: number;
  readonly appended: string;
  readonly applied: string;
}

const everyMs = 100;

/**
 * How far the serving generation of a projection is behind the event store, seen from outside: for
 * each lane, how long ago it ended where that generation stands. Exact to the pause between looks.
 */
export class LagWatch {
  readonly #projection: string;
  readonly #topic: string;
  readonly #looks: Look[] = [];

  constructor(of: { readonly projection: string; readonly topic: string }) {
    this.#projection = of.projection;
    this.#topic = of.topic;
  }

  async run(databaseUrl: string, signal: AbortSignal): Promise<void> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      while (!signal.aborted) {
        this.#looks.push(await this.#look(client));
        await sleep(everyMs);
      }
    } finally {
      await client.end();
    }
  }

  /** The most within this time. */
  maxMs({ fromMs, toMs }: Window): number {
    let most = 0;
    for (const [at, look] of this.#looks.entries()) {
      if (look.atMs < fromMs || look.atMs >= toMs) continue;
      for (const [partition, { applied }] of look.lanes) {
        most = Math.max(most, look.atMs - this.#passedMs(at, partition, applied));
      }
    }
    return Math.round(most);
  }

  /** When the lane still ended where a reader stands: the last look that had nothing after it. */
  #passedMs(from: number, partition: number, applied: bigint): number {
    for (let at = from; at >= 0; at -= 1) {
      const look = this.#looks[at] as Look;
      if ((look.lanes.get(partition)?.appended ?? 0n) <= applied) return look.atMs;
    }
    return this.#looks[0]?.atMs ?? 0;
  }

  async #look(client: Client): Promise<Look> {
    const { rows } = await client.query<LaneRow>({
      name: "lanes",
      text: `select l.partition, l.last_sequence::text as appended,
          coalesce(p.next_sequence - 1, 0)::text as applied
        from refold.lanes l
        join refold.serving s on s.projection = $1
        left join refold.positions p on p.consumer = s.projection
          and p.generation = s.generation and p.topic = l.topic and p.partition = l.partition
        where l.topic = $2`,
      values: [this.#projection, this.#topic],
    });
    const lanes = rows.map(({ partition, appended, applied }) => {
      return [partition, { appended: BigInt(appended), applied: BigInt(applied) }] as const;
    });
    return { atMs: performance.now(), lanes: new Map(lanes) };
  }
}
