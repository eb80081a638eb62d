import type { BucketDigest } from "../digest.ts";
import type { GenerationInfo } from "../ports/generations.ts";
import type { ReadPosition } from "../ports/read-model-reader.ts";
import type { RebuildProof } from "../ports/rebuilds.ts";
import type { Journey } from "./journey.ts";

export interface ExpectedThere {
  readonly generation: GenerationInfo;
  readonly digests: ReadonlyMap<number, BucketDigest>;
  readonly positions: readonly ReadPosition[];
  /** How long it may be behind before that is told. */
  readonly waitMs: number;
}

const pollMs = 10;

/** Asks the second store until it isn't behind, or the time is over. */
export async function secondStoreHas(
  journey: Journey,
  { generation, digests, positions, waitMs }: ExpectedThere,
): Promise<RebuildProof["redis"]> {
  const { secondStore, clock } = journey.environment;
  if (secondStore === undefined) return "none";
  const untilMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const verdict = await secondStore.compare(generation, digests, positions);
    if (verdict !== "behind" || clock.monotonicMs() >= untilMs || journey.over) return verdict;
    await journey.pause(pollMs);
  }
}

/**
 * Stored rows of both generations there, counted from nothing. Digests alone wouldn't do: a row that
 * was changed by hand leaves them as they were.
 */
export async function secondStoreRecount(
  journey: Journey,
  generations: readonly GenerationInfo[],
): Promise<RebuildProof["redis"]> {
  const { secondStore } = journey.environment;
  if (secondStore === undefined) return "none";
  const verdicts: RebuildProof["redis"][] = [];
  for (const generation of generations) verdicts.push(await secondStore.recount(generation));
  return together(verdicts);
}

/** What is to be told of several looks at it. */
export function together(verdicts: readonly RebuildProof["redis"][]): RebuildProof["redis"] {
  return (["differs", "behind", "equal"] as const).find((of) => verdicts.includes(of)) ?? "none";
}
