import type { Generations } from "../engine/ports/generations.ts";
import type { Generation, ReadModelStore } from "../engine/ports/read-model-store.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { type Filled, rowsOf } from "./_catch-up.ts";
import type { followInRedis } from "./_redis.ts";
import { replayToEnd } from "./_replay-to-end.ts";
import { seatBoard } from "./_seat-board.ts";
import { assertRows, topic } from "./_seat-events.ts";

const seats = ({ log, codec }: Filled) => ({ log, codec, topic, projection: seatBoard });

/** Makes a generation, and fills it up to the log's end as a rebuild does: read, folded, durable. */
export async function fillGeneration(
  filled: Filled,
  into: { readonly builds: Pick<Generations, "create">; readonly store: ReadModelStore },
): Promise<Generation> {
  const generation = await into.builds.create(readModelOf(seatBoard), {}, 1n);
  await replayToEnd({ ...seats(filled), generation, store: into.store });
  return generation;
}

/** The same, and then brings it to a redis-server of its own, to the last row. */
export async function fillGenerationInBoth(
  filled: Filled,
  builds: Pick<Generations, "create">,
  redis: Awaited<ReturnType<typeof followInRedis>>,
): Promise<Generation> {
  const generation = await builds.create(readModelOf(seatBoard), {}, 1n);
  await replayToEnd({ ...seats(filled), generation, store: redis.followed });
  redis.followed.follow(generation);
  await redis.reached(generation);
  return generation;
}

/** All generations have the history's rows, and the same digests. */
export async function assertEqual(
  { history }: Filled,
  store: ReadModelStore,
  generations: readonly Generation[],
): Promise<void> {
  const digests = new Set<string>();
  for (const generation of generations) {
    assertRows(await rowsOf(store, generation), history.expected);
    digests.add(String([...(await store.digests(generation))].map(digestText)));
  }
  if (digests.size !== 1) throw new Error("Generations with the same rows differ in digests.");
}

const digestText = ([bucket, { hash, rows }]: readonly [
  number,
  { readonly hash: bigint; readonly rows: number },
]): string => `${bucket}:${hash}:${rows}`;
