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

/** What is to be told of two generations there. */
export function together(
  one: RebuildProof["redis"],
  other: RebuildProof["redis"],
): RebuildProof["redis"] {
  const verdicts = [one, other];
  return (["differs", "behind", "equal"] as const).find((of) => verdicts.includes(of)) ?? "none";
}
