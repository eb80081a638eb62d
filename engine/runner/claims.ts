import type { BackoffOptions } from "../backoff.ts";
import { FatalError } from "../errors.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { DeadLetters } from "../ports/dead-letters.ts";
import type { OwnedPartition } from "../ports/read-model-store.ts";
import type { PartitionBounds, RecordLog, TopicInfo } from "../ports/record-log.ts";
import type { EditedValues } from "../replay/letters.ts";
import type { TaskStore } from "../task/batch.ts";
import { retried } from "../task/retried.ts";
import type { Task } from "../task/task.ts";
import type { TaskPartitionOptions } from "../task/task-partition.ts";

export interface ClaimsOptions {
  readonly store: TaskStore;
  readonly log: Pick<RecordLog, "bounds">;
  readonly topics: readonly TopicInfo[];
  /** Asked only where the definition parks. */
  readonly deadLetters: DeadLetters | undefined;
  /** Records to pass over, by `<topic>/<partition>`: what operators have discarded before. */
  readonly discarded?: ReadonlyMap<string, ReadonlySet<number>>;
  /** Values to take in place of records' own, likewise: what operators have edited before. */
  readonly edited?: EditedValues;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: BackoffOptions;
  readonly signal: AbortSignal;
}

type Bounds = ReadonlyMap<string, readonly PartitionBounds[]>;

/** Takes partitions over from the store, checking that the log is the one they stand in. */
export class Claims {
  readonly #options: ClaimsOptions;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** All topics' partitions of these numbers; one that can't be worked on is added halted. */
  async take(task: Task, numbers: readonly number[]): Promise<void> {
    const { store, topics } = this.#options;
    const places = topics.flatMap(({ name }) =>
      numbers.map((partition) => ({ topic: name, partition })),
    );
    const owned = await this.#retried(() => store.claim(places));
    // Not before: whoever had them until then may have moved on, behind ends that were read earlier.
    const bounds = this.#bounds();
    // Nobody asks for them where nothing was given.
    bounds.catch(() => undefined);
    const found = await Promise.all(owned.map((one) => this.#checked(one, task, bounds)));
    task.add(found.map(({ options }) => options));
    for (const one of task.partitions) {
      const fault = found.find(
        ({
          options: {
            owned: { topic, partition },
          },
        }) => topic === one.topic && partition === one.partition,
      )?.fault;
      if (fault) one.halt(fault);
    }
  }

  async #bounds(): Promise<Bounds> {
    const { log, topics } = this.#options;
    const found = topics.map(
      async ({ name }) => [name, await this.#retried(() => log.bounds(name))] as const,
    );
    return new Map(await Promise.all(found));
  }

  async #checked(
    owned: OwnedPartition,
    { name: consumer, generation }: Task,
    bounds: Promise<Bounds>,
  ): Promise<{ options: TaskPartitionOptions; fault: FatalError | undefined }> {
    const { topic, partition } = owned;
    const letters = this.#options.deadLetters;
    const place = { consumer, generation, topic, partition };
    const parked = letters ? this.#retried(() => letters.parked(place)) : [];
    const [parkedKeys, ofTopics] = await Promise.all([parked, bounds]);
    const of = ofTopics.get(topic)?.find((one) => one.partition === partition);
    const start = Number(of?.start ?? 0);
    const end = Number(of?.end ?? 0);
    const logId = this.#options.topics.find(({ name }) => name === topic)?.id ?? "";
    const discarded = this.#options.discarded?.get(`${topic}/${partition}`);
    const edited = this.#options.edited?.get(`${topic}/${partition}`);
    const rest = { holdsFirstRecord: start === 0, parkedKeys, discarded, edited };
    return {
      options: { owned, logId, startOffset: start, ...rest },
      fault: faultOf(owned, logId, { start, end }),
    };
  }

  #retried<Result>(work: () => Promise<Result>): Promise<Result> {
    return retried(this.#options, work);
  }
}

function faultOf(
  { topic, partition, position }: OwnedPartition,
  logId: string,
  bounds: { readonly start: number; readonly end: number },
): FatalError | undefined {
  if (position === undefined) return undefined;
  const name = `${topic}/${partition}`;
  if (position.logId !== logId) {
    return new FatalError(
      "log-replaced",
      `${name} was read from the topic ${position.logId}, and the log now has ${logId} under ` +
        "that name: it was deleted and made anew, or this is another log.",
      "Connect the log that belongs to the store, or rebuild from the new one.",
    );
  }
  const next = Number(position.nextOffset);
  if (next >= bounds.start && next <= bounds.end) return undefined;
  return new FatalError(
    "out-of-range",
    `${name} goes on at offset ${next}, and the log has ${bounds.start} to ${bounds.end}.`,
    next < bounds.start
      ? "Retention has taken records that were never applied: restore the log, or give the " +
          "definition another name, under which it begins with what is left."
      : "The log has lost its end (a restored backup?): compare it with the event store.",
  );
}
