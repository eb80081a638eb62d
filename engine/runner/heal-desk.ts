import type { AnyRow, Columns } from "../columns.ts";
import { type BucketDigest, DigestDeltas, RowHasher } from "../digest.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { TransientError } from "../errors.ts";
import { partitionOf } from "../partitioner.ts";
import type { Comparisons, ViewedGeneration } from "../ports/comparisons.ts";
import type { Generations, HealAsk, HealOutcome } from "../ports/generations.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { RowPosition, RowSource } from "../ports/row-source.ts";
import type { AnyProjection } from "../projection.ts";
import type { HealVerdict } from "../task/healer.ts";
import { storedColumns, topicsOf } from "../task/pipeline.ts";
import type { Consumers } from "./consumers.ts";
import type { LiveConsumer } from "./live-consumer.ts";

/** What heals need: the history, and a look at rows and digests of one moment. */
export interface HealSources {
  readonly rows: RowSource;
  readonly comparisons: Comparisons;
}

export interface HealDeskOptions extends HealSources {
  readonly generations: Pick<Generations, "healAsks" | "answerHeal">;
  readonly projections: readonly AnyProjection[];
  readonly consumers: Consumers;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** A row's place, and what is wrong with its bucket's digest beside it. */
interface Looked {
  /** Of the stored row; undefined: there is none. */
  readonly partition: number | undefined;
  readonly excess: BucketDigest;
  readonly standing: readonly RowPosition[];
}

/** An ask, and the consumer here that works on its generation. */
interface Case {
  readonly ask: HealAsk;
  readonly live: LiveConsumer;
  readonly columns: Columns;
  /** Of each topic that the projection reads. */
  readonly partitions: number;
}

/** The row is folded again in the background until at most so many records are left to fold. */
const nearRecords = 1_000;
const catchUpsMax = 10;
/** Asks that one pass sees; the others come with a later one. */
const asksMax = 100;
/** Passes for which a row is taken for another process's; then it is looked for again. */
const passesElsewhere = 20;
/** Looks at one row before others have their turn. */
const roundsMax = 8;

/**
 * Finds who owns the rows that are to be healed, and does so for those that are this process's: the
 * long way through the log is folded while the task works on, and only the short rest is left for
 * the moment between two flushes.
 *
 * Of each generation only the oldest ask is worked on, by whoever owns its row: two heals at once
 * could both take out what is wrong with the digest of a bucket that they share.
 */
export class HealDesk {
  readonly #options: HealDeskOptions;
  /** Where rows belong that are others' to heal, by the ask's id: looking is dear. */
  readonly #elsewhere = new Map<
    bigint,
    { readonly partition: number; readonly untilPass: number }
  >();
  #passes = 0;
  #busy = false;
  /** Something may have been asked since the last pass began. */
  #isDue = false;
  #broken: { readonly error: unknown } | undefined;

  constructor(options: HealDeskOptions) {
    this.#options = options;
  }

  /**
   * Begins on what is asked now; while it is at work, it looks again afterwards.
   *
   * @throws what nobody may catch, of the work before.
   */
  look(): void {
    if (this.#broken) throw this.#broken.error;
    this.#isDue = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#work().catch((error: unknown) => (this.#broken = { error }));
  }

  async #work(): Promise<void> {
    try {
      while (this.#isDue && !this.#options.signal.aborted) {
        this.#isDue = false;
        await this.#pass();
      }
    } finally {
      this.#busy = false;
    }
  }

  /** The oldest ask of each generation. */
  async #pass(): Promise<void> {
    this.#passes += 1;
    const asks = await this.#asks();
    const ids = new Set(asks.map(({ id }) => id));
    for (const id of this.#elsewhere.keys()) if (!ids.has(id)) this.#elsewhere.delete(id);
    const seen = new Set<string>();
    for (const ask of asks) {
      const generation = `${ask.projection} ${ask.generation}`;
      if (seen.has(generation) || this.#options.signal.aborted) continue;
      seen.add(generation);
      const one = this.#caseOf(ask);
      if (one) await this.#answered(one);
    }
  }

  /** None while they can't be read: the next look finds them. */
  async #asks(): Promise<readonly HealAsk[]> {
    try {
      return await this.#options.generations.healAsks(asksMax);
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      this.#options.metrics.count("generation_watch_failures_total", 1);
      return [];
    }
  }

  #caseOf(ask: HealAsk): Case | undefined {
    const { consumers, projections } = this.#options;
    const live = consumers.find(ask.projection, ask.generation);
    const projection = projections.find(({ name }) => name === ask.projection);
    if (!live || !projection) return undefined;
    const partitions = topicsOf(projection)[0]?.partitions ?? 0;
    return { ask, live, columns: storedColumns(projection), partitions };
  }

  async #answered(one: Case): Promise<void> {
    const { generations, metrics } = this.#options;
    try {
      const verdict = await this.#verdict(one);
      if (verdict === "later" || verdict === "not-here") return;
      await generations.answerHeal(one.ask.id, verdict);
      metrics.count("heals_total", 1, { consumer: one.ask.projection, outcome: verdict.kind });
    } catch (error) {
      if (classify(error) === "rethrow") throw error;
      // The answer is lost: the next look finds the ask, and the row sound.
      metrics.count("generation_watch_failures_total", 1);
    }
  }

  async #verdict(one: Case): Promise<HealVerdict> {
    try {
      return await this.#heal(one);
    } catch (error) {
      const verdict = classify(error);
      if (verdict === "rethrow") throw error;
      if (verdict === "retry" || verdict === "fenced") return "later";
      return { kind: "failed", reason: reasonOf(error) };
    }
  }

  /**
   * Again until a look finds nothing to mend: a task that holds the right row writes over one that
   * was changed by hand, and takes with it what an earlier look has counted against the digest.
   */
  async #heal(one: Case): Promise<HealVerdict> {
    const elsewhere = this.#elsewhere.get(one.ask.id);
    if (
      elsewhere &&
      elsewhere.untilPass > this.#passes &&
      !isOwned(one.live, elsewhere.partition)
    ) {
      return "not-here";
    }
    let found: Extract<HealOutcome, { readonly kind: "healed" }> | undefined;
    // A row that was taken out belongs where it was: what is left to mend is its bucket's digest.
    let partition: number | undefined;
    for (let round = 0; round < roundsMax; round += 1) {
      const looked = await this.#look(one);
      partition ??= looked.partition ?? (await this.#partitionFromLog(one, looked));
      const verdict: HealVerdict = await this.#healOnce(one, partition, looked.excess);
      if (typeof verdict === "string" || verdict.kind === "failed") return verdict;
      if (verdict.kind === "sound") return found ?? verdict;
      found = { ...verdict, before: found === undefined ? verdict.before : found.before };
    }
    return "later";
  }

  async #healOnce(one: Case, partition: number, excess: BucketDigest): Promise<HealVerdict> {
    const { ask, live, columns } = one;
    if (!isOwned(live, partition)) {
      this.#elsewhere.set(ask.id, { partition, untilPass: this.#passes + passesElsewhere });
      return "not-here";
    }
    const letters = redrivenIn(live, partition);
    const since = await this.#caughtUp(one, partition);
    return live.consumer.heal({
      key: ask.key,
      partition,
      columns,
      excess,
      rowAt: async (at) => {
        if (redrivenIn(live, partition) !== letters) throw lettersRedriven(ask, partition);
        return this.#rowAt(one, partition, { at, since });
      },
    });
  }

  /** The stored row's partition, and the digest of its bucket against the bucket's stored rows. */
  #look({ ask, columns }: Case): Promise<Looked> {
    const hasher = new RowHasher(columns);
    const bucket = hasher.bucket(ask.key);
    return this.#options.comparisons.within([ask], async (views) => {
      const view = views[0] as ViewedGeneration;
      const counted = new DigestDeltas(columns, hasher);
      let partition: number | undefined;
      for await (const page of view.rows()) {
        for (const { key, row, partition: of } of page) {
          if (key === ask.key) partition = of;
          if (hasher.bucket(key) === bucket) counted.change(key, undefined, row);
        }
      }
      const stored = view.digests.get(bucket) ?? { hash: 0n, rows: 0 };
      const found = counted.take()[0] ?? { hash: 0n, rows: 0 };
      const excess = {
        hash: BigInt.asUintN(64, stored.hash - found.hash),
        rows: stored.rows - found.rows,
      };
      return { partition, excess, standing: view.standing.flatMap(positionOf) };
    });
  }

  /**
   * The partition whose records make the row, where no row is stored: every process looks through
   * its own; whoever owns the key's own partition looks through all, and answers where none has it.
   */
  async #partitionFromLog(one: Case, { standing }: Looked): Promise<number> {
    const { ask, live, partitions } = one;
    const own = partitionOf(ask.key, partitions);
    const all = [own, ...Array.from({ length: partitions }, (_, at) => at)];
    const looksAtAll = isOwned(live, own);
    for (const partition of new Set(all)) {
      if (!looksAtAll && !isOwned(live, partition)) continue;
      const at = standing.filter((one) => one.partition === partition);
      if (at.length > 0 && (await this.#rowAt(one, partition, { at })) !== undefined) {
        return partition;
      }
    }
    return own;
  }

  /** The row close to where the task is, while it goes on. */
  async #caughtUp(
    one: Case,
    partition: number,
  ): Promise<{ readonly row: AnyRow | undefined; readonly at: readonly RowPosition[] }> {
    const { live } = one;
    let at = committed(live, partition);
    let row = await this.#rowAt(one, partition, { at });
    for (let turn = 0; turn < catchUpsMax; turn += 1) {
      const since = { row, at };
      at = committed(live, partition);
      if (distance(since.at, at) <= nearRecords) return since;
      row = await this.#rowAt(one, partition, { at, since });
    }
    return { row, at };
  }

  #rowAt(
    { ask }: Case,
    partition: number,
    where: {
      readonly at: readonly RowPosition[];
      readonly since?: { readonly row: AnyRow | undefined; readonly at: readonly RowPosition[] };
    },
  ): Promise<AnyRow | undefined> {
    const { projection, generation, key } = ask;
    return this.#options.rows.rowAt({ of: { projection, generation }, key, partition, ...where });
  }
}

const isOwned = ({ task }: LiveConsumer, partition: number): boolean =>
  [...task.partitions].some((one) => one.partition === partition);

const committed = ({ task }: LiveConsumer, partition: number): readonly RowPosition[] =>
  [...task.partitions].filter((one) => one.partition === partition).flatMap(positionOf);

/**
 * Changes when dead letters of the partition are redriven, or when somebody else may have done so:
 * the task settles them between two flushes, as it heals.
 */
const redrivenIn = ({ task }: LiveConsumer, partition: number): string =>
  [...task.partitions]
    .filter((one) => one.partition === partition)
    .map(({ name, epoch, parked }) => `${name} ${epoch} ${parked.redriven}`)
    .join();

/** The long way through the log has passed them over: the next look begins it again. */
const lettersRedriven = ({ key, projection }: HealAsk, partition: number): TransientError =>
  new TransientError(
    "letters-redriven",
    `Dead letters of ${projection} in partition ${partition} were redriven while ${key} was folded.`,
  );

const positionOf = (of: {
  readonly topic: string;
  readonly partition: number;
  readonly position?: RowPosition["position"] | undefined;
  readonly committed?: RowPosition["position"] | undefined;
}): RowPosition[] => {
  const position = of.position ?? of.committed;
  return position ? [{ topic: of.topic, partition: of.partition, position }] : [];
};

/** Records between two places, of all topics. */
function distance(from: readonly RowPosition[], to: readonly RowPosition[]): number {
  let records = 0;
  for (const { topic, position } of to) {
    const before = from.find((one) => one.topic === topic)?.position.nextOffset ?? 0n;
    records += Number(position.nextOffset - before);
  }
  return records;
}
