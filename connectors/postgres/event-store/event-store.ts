import { setTimeout as delay } from "node:timers/promises";

import type { Pool, PoolClient } from "pg";

import type { Clock } from "../../../engine/ports/clock.ts";
import type {
  AppendOptions,
  AppendRequest,
  AppendVerdict,
  ConditionItem,
  EventStore,
  LaneEnd,
  ReadEvents,
  StoredEvent,
} from "../../../engine/ports/event-store.ts";
import { noMetrics, type Metrics } from "../../../engine/ports/metrics.ts";
import { globalPosition, sequence, type GlobalPosition } from "../../../engine/position.ts";
import { assertTimesAreTheHolders } from "../../../engine/recorded-times.ts";
import { allAnswered, commit, type Ending } from "../transaction.ts";
import { AppendQueue } from "./append-queue.ts";
import { appendTransaction } from "./append-transaction.ts";
import { appendWithin } from "./append-within.ts";
import { asFailure } from "./failures.ts";
import { lockSpace } from "./locks.ts";
import { larger, readNewer, readPage, readPages } from "./reads.ts";

export interface PostgresEventStoreOptions {
  readonly pool: Pool;
  readonly metrics?: Metrics;
  /** Waits between looks for new events, and durations; the system's by default. */
  readonly clock?: Pick<Clock, "monotonicMs" | "sleep">;
  /** Requests in one call (default 2,000). */
  readonly gatherRequestsMax?: number;
  /** Bytes of values in one call (default 4 MiB). */
  readonly gatherBytesMax?: number;
  /** Calls at once, one connection each (default 2: one computes while the other commits). */
  readonly callsInFlightMax?: number;
  /** Appends that wait for a call (default 20,000); more fail with `append-queue-full`. */
  readonly waitingMax?: number;
  /** Newer events that a conflict brings back (default 1,000). */
  readonly newerMax?: number;
  /** Between two looks of a subscription that has seen everything (default 20 ms). */
  readonly pollIntervalMs?: number;
}

const systemClock: Pick<Clock, "monotonicMs" | "sleep"> = {
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
};

const clashesMax = 4_000;
const marksMax = 1_000;

/** The event store in Postgres; its tables come from `migrations`. The pool stays the caller's. */
export class PostgresEventStore implements EventStore {
  readonly #pool: Pool;
  readonly #queue: AppendQueue;
  readonly #metrics: Metrics;
  readonly #clock: Pick<Clock, "monotonicMs" | "sleep">;
  readonly #pollIntervalMs: number;

  constructor(options: PostgresEventStoreOptions) {
    this.#pool = options.pool;
    this.#metrics = options.metrics ?? noMetrics;
    this.#clock = options.clock ?? systemClock;
    this.#pollIntervalMs = options.pollIntervalMs ?? 20;
    this.#queue = new AppendQueue({
      pool: options.pool,
      gatherRequestsMax: options.gatherRequestsMax ?? 2_000,
      gatherBytesMax: options.gatherBytesMax ?? 4 * 1_048_576,
      clashesMax,
      marksMax,
      callsInFlightMax: options.callsInFlightMax ?? 2,
      waitingMax: options.waitingMax ?? 20_000,
      newerMax: options.newerMax ?? 500,
    });
  }

  async append(request: AppendRequest, options: AppendOptions): Promise<AppendVerdict> {
    assertTimesAreTheHolders(request, options);
    const beganMs = this.#clock.monotonicMs();
    const verdict = await this.#queue.append(request, options);
    this.#metrics.observe("append_seconds", (this.#clock.monotonicMs() - beganMs) / 1_000);
    this.#count(verdict);
    return verdict;
  }

  async appendLocked(
    condition: readonly ConditionItem[],
    decide: (newer: readonly StoredEvent[]) => AppendRequest,
    options: AppendOptions,
  ): Promise<AppendVerdict> {
    const verdict = await this.#inTransaction<AppendVerdict>(
      "append under the lock",
      async (client) => {
        // The whole store, not the condition's stripes: which others the decision's events need is
        // known only after it, and taking them then would break the order of locks.
        const [, newer] = await allAnswered([
          client.query("select pg_advisory_xact_lock($1, 0)", [lockSpace]),
          condition.length === 0 ? [] : readNewer(client, condition),
        ]);
        const appended = appendWithin(client, [decide(newer)], options);
        return commit(appended.then(([decided]) => decided as AppendVerdict));
      },
    );
    this.#count(verdict);
    return verdict;
  }

  async *read(
    query: ReadEvents,
    options?: { readonly pageSize?: number },
  ): AsyncGenerator<StoredEvent[]> {
    try {
      yield* readPages(this.#pool, query, options?.pageSize ?? 1_000);
    } catch (error) {
      throw asFailure(error, "read");
    }
  }

  async safePosition(): Promise<GlobalPosition> {
    const [row] = await this.#rows<{ safe: bigint }>("select refold.safe_position() as safe");
    return globalPosition(row?.safe ?? 0n);
  }

  async *subscribe(query: ReadEvents, signal: AbortSignal): AsyncGenerator<StoredEvent[]> {
    const pageSize = 1_000;
    let after = query.after ?? globalPosition(0);
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    while (!signal.aborted && left > 0) {
      const safe = await this.safePosition();
      const upTo = query.upTo !== undefined && query.upTo < safe ? query.upTo : safe;
      const asked = Math.min(left, pageSize);
      const page =
        upTo > after ? await this.#page({ ...query, after, upTo, order: "ascending" }, asked) : [];
      if (page.length > 0) yield page;
      left -= page.length;
      after = page.length === asked ? (page.at(-1) as StoredEvent).position : larger(after, upTo);
      if (query.upTo !== undefined && after >= query.upTo) return;
      if (page.length < asked) await this.#clock.sleep(this.#pollIntervalMs, signal);
    }
  }

  async lanes(topic: string): Promise<readonly LaneEnd[]> {
    const rows = await this.#rows<LaneRow>(
      `select topic, partition, last_sequence, last_event_id,
         (extract(epoch from last_recorded_at) * 1000)::bigint as last_recorded_at_ms
       from refold.lanes where topic = $1 order by partition`,
      [topic],
    );
    return rows.map((row) => ({
      topic: row.topic,
      partition: row.partition,
      lastSequence: sequence(row.last_sequence),
      ...(row.last_event_id === null ? {} : { lastEventId: row.last_event_id }),
      lastRecordedAtMs: Number(row.last_recorded_at_ms),
    }));
  }

  async nowMs(): Promise<number> {
    const [row] = await this.#rows<{ now: bigint }>("select refold.clock_ms() as now");
    return Number(row?.now);
  }

  async incarnation(): Promise<string> {
    const [row] = await this.#rows<{ name: string }>("select refold.incarnation() as name");
    return row?.name ?? "";
  }

  #count(verdict: AppendVerdict): void {
    if (verdict.outcome === "conflict") this.#metrics.count("append_conflicts_total", 1);
    if (verdict.outcome === "appended" && !verdict.duplicate && verdict.events.length > 0) {
      this.#metrics.count("events_appended_total", verdict.events.length);
    }
  }

  async #page(query: ReadEvents, limit: number): Promise<StoredEvent[]> {
    try {
      return await readPage(this.#pool, query, limit);
    } catch (error) {
      throw asFailure(error, "read");
    }
  }

  async #rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(text, values)).rows;
    } catch (error) {
      throw asFailure(error, "answer");
    }
  }

  async #inTransaction<Result>(
    doing: string,
    work: (client: PoolClient) => Promise<Ending<Result>>,
  ): Promise<Result> {
    try {
      return await appendTransaction(this.#pool, work);
    } catch (error) {
      throw asFailure(error, doing);
    }
  }
}

interface LaneRow {
  readonly topic: string;
  readonly partition: number;
  readonly last_sequence: bigint;
  readonly last_event_id: string | null;
  readonly last_recorded_at_ms: bigint;
}
