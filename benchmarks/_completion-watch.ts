import { setTimeout as sleep } from "node:timers/promises";

import { Client } from "pg";

/** Pause between looks: what is found is told later by half of it on average. */
const pauseMs = 20;

/**
 * The plan is kept from when the tables were empty: one that reads them whole takes more of the
 * machine with each event than what is measured.
 */
const byIndexes = ["seqscan", "bitmapscan", "hashjoin", "mergejoin"]
  .map((way) => `-c enable_${way}=off`)
  .join(" ");

interface Row {
  readonly partition: number;
  readonly sequence: string;
  readonly key: string;
  readonly type: string;
}

/** Tells when enrolments are found completed in the event store, by a connection of its own. */
export class CompletionWatch {
  /** By enrolment, by the monotonic clock. */
  readonly foundMs = new Map<string, number>();
  /** By partition. Events of a lane commit in its order, so that none is passed over. */
  readonly #seen = new Map<number, string>();

  /** @throws Error when one is completed twice. */
  async run(databaseUrl: string, signal: AbortSignal): Promise<void> {
    const client = new Client({ connectionString: databaseUrl, options: byIndexes });
    await client.connect();
    try {
      for (; !signal.aborted; await sleep(pauseMs)) await this.#look(client);
    } finally {
      await client.end();
    }
  }

  async #look(client: Client): Promise<void> {
    const { rows } = await client.query<Row>({
      name: "enrolments",
      // Only what is new is read, of lanes that have it: looks are at the cost of what is measured.
      text: `select e.partition, e.sequence::text, e.key, e.ce_type as type
        from refold.lanes l
        left join unnest($1::integer[], $2::bigint[]) seen (partition, sequence)
          on seen.partition = l.partition
        cross join lateral (
          select e.partition, e.sequence, e.key, e.ce_type from refold.events e
          where e.topic = l.topic and e.partition = l.partition
            and e.sequence > coalesce(seen.sequence, 0) order by e.sequence offset 0) e
        where l.topic = 'enrolment-events' and l.last_sequence > coalesce(seen.sequence, 0)`,
      values: [[...this.#seen.keys()], [...this.#seen.values()]],
    });
    const nowMs = performance.now();
    for (const { partition, sequence, key, type } of rows) {
      this.#seen.set(partition, sequence);
      if (!type.endsWith(".EnrolmentCompleted")) continue;
      if (this.foundMs.has(key)) throw new Error(`The enrolment ${key} was completed twice.`);
      this.foundMs.set(key, nowMs);
    }
  }
}
