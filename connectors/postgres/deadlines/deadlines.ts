import type { Pool } from "pg";

import type { Deadline, Deadlines } from "../../../engine/ports/deadlines.ts";
import { int8ArrayOfNumbers, textArray } from "../binary-array.ts";
import { runStatement, type Stage } from "../transaction.ts";

interface DeadlineRow {
  readonly name: string;
  readonly key: string;
  readonly at_ms: bigint;
  readonly tags: string[];
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly traceparent: string | null;
}

/** The deadlines that are waited for; appends write them (`changeDeadlines`). */
export class PostgresDeadlines implements Deadlines {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async due(ask: {
    readonly names: readonly string[];
    readonly nowMs: number;
    readonly limit: number;
  }): Promise<readonly Deadline[]> {
    const rows = await this.#run<DeadlineRow>(
      "preparing",
      `select * from refold.deadlines where name = any ($1::text[]) and at_ms <= $2
       order by at_ms, name, key limit $3`,
      [textArray(ask.names), Math.floor(ask.nowMs), ask.limit],
    );
    return rows.map(deadlineOf);
  }

  async nextAtMs(names: readonly string[]): Promise<number | undefined> {
    const [row] = await this.#run<Pick<DeadlineRow, "at_ms">>(
      "preparing",
      "select at_ms from refold.deadlines where name = any ($1::text[]) order by at_ms limit 1",
      [textArray(names)],
    );
    return row && Number(row.at_ms);
  }

  async settle(passed: readonly Pick<Deadline, "name" | "key" | "atMs">[]): Promise<void> {
    if (passed.length === 0) return;
    await this.#run(
      "changing",
      // Locked in the order in which appends lock them.
      `with passed as materialized (
         select d.name, d.key, d.at_ms from refold.deadlines d
         join unnest($1::text[], $2::text[], $3::bigint[]) p (name, key, at_ms)
           on d.name = p.name and d.key = p.key and d.at_ms = p.at_ms
         order by d.name, d.key for update of d)
       delete from refold.deadlines d using passed p
       where d.name = p.name and d.key = p.key and d.at_ms = p.at_ms`,
      [
        textArray(passed.map(({ name }) => name)),
        textArray(passed.map(({ key }) => key)),
        int8ArrayOfNumbers(passed.map(({ atMs }) => atMs)),
      ],
    );
  }

  async tagged(tag: string, limit: number): Promise<readonly Deadline[]> {
    const rows = await this.#run<DeadlineRow>(
      "preparing",
      // Found first, and then sorted: in order of time a planner would walk through them all.
      `with found as materialized (select * from refold.deadlines where tags @> $1::text[])
       select * from found order by at_ms, name, key limit $2`,
      [textArray([tag]), limit],
    );
    return rows.map(deadlineOf);
  }

  #run<Row extends object>(stage: Stage, text: string, values: readonly unknown[]): Promise<Row[]> {
    const doing = stage === "preparing" ? "Reading the deadlines" : "Settling deadlines";
    return runStatement<Row>(this.#pool, { doing, stage, text, values });
  }
}

const deadlineOf = (row: DeadlineRow): Deadline => ({
  name: row.name,
  key: row.key,
  atMs: Number(row.at_ms),
  tags: row.tags,
  correlationId: row.correlation_id,
  ...(row.causation_id === null ? {} : { causationId: row.causation_id }),
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
});
