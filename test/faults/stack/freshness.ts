import { setTimeout as delay } from "node:timers/promises";

import { Client } from "pg";

import { moduleEvents } from "../../../schemas/topics.ts";
import { until } from "../../e2e/refold-process.ts";

interface Waiting {
  readonly sequence: number;
  readonly sinceMs: number;
}

interface Standing {
  readonly partition: number;
  /** Of the lane, in the event store. */
  readonly last: number;
  /** Of the projection. */
  readonly next: number;
}

const lookMs = 20;

/**
 * How long events of the store wait until a projection has applied them: what is committed is seen
 * at once, by looking every 20 ms.
 */
export class Freshness implements AsyncDisposable {
  readonly #client: Client;
  readonly #consumer: string;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<number, Waiting[]>();
  readonly #lastSeen = new Map<number, number>();
  readonly #longestMs = new Map<number, number>();
  #looking: Promise<void> = Promise.resolve();

  private constructor(client: Client, consumer: string) {
    this.#client = client;
    this.#consumer = consumer;
  }

  static async watch(databaseUrl: string, consumer: string): Promise<Freshness> {
    const client = new Client({ connectionString: databaseUrl });
    // What breaks the connection breaks the next look too, which tells.
    client.on("error", () => undefined);
    await client.connect();
    const freshness = new Freshness(client, consumer);
    freshness.#looking = freshness.#look();
    // Whoever asks for the waits is told; a test that fails before then has its own reason.
    freshness.#looking.catch(() => undefined);
    return freshness;
  }

  /** Milliseconds that the longest wait took, by partition, when nothing waits any more. */
  async longestMs(): Promise<ReadonlyMap<number, number>> {
    await until(
      () => ([...this.#waiting.values()].every(({ length }) => length === 0) ? true : undefined),
      30_000,
      () => `all applied; longest waits: ${JSON.stringify([...this.#longestMs])}`,
    );
    this.#stop.abort();
    await this.#looking;
    return this.#longestMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#looking.catch(() => undefined);
    await this.#client.end();
  }

  async #look(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const { rows } = await this.#client.query<Standing>(
        `select l.partition, l.last_sequence::int as last, coalesce(p.next_sequence, 1)::int as next
         from refold.lanes l join refold.serving s on s.projection = $2
         join refold.positions p on p.consumer = $2 and p.generation = s.generation
           and p.topic = l.topic and p.partition = l.partition
         where l.topic = $1`,
        [moduleEvents.name, this.#consumer],
      );
      for (const row of rows) this.#take(row, performance.now());
      await delay(lookMs);
    }
  }

  #take({ partition, last, next }: Standing, nowMs: number): void {
    const waiting = this.#waiting.get(partition) ?? [];
    // What was there before the first look is not known to have waited.
    if (last > (this.#lastSeen.get(partition) ?? last)) {
      waiting.push({ sequence: last, sinceMs: nowMs });
    }
    this.#lastSeen.set(partition, last);
    const oldest = waiting[0];
    if (oldest) {
      const longest = this.#longestMs.get(partition) ?? 0;
      this.#longestMs.set(partition, Math.max(longest, nowMs - oldest.sinceMs));
    }
    this.#waiting.set(
      partition,
      waiting.filter(({ sequence }) => sequence >= next),
    );
  }
}
