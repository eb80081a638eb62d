import type { DeadLetters } from "../../engine/ports/dead-letters.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import type {
  Generation,
  ReadModelFlush,
  ReadModelStore,
} from "../../engine/ports/read-model-store.ts";
import { at, places } from "./store-samples.ts";

export interface ReadModelSubject extends AsyncDisposable {
  readonly store: ReadModelStore;
  readonly generations: Pick<Generations, "create" | "swap">;
  readonly reader: ReadModelReader;
  /** undefined: the store leaves them to another. */
  readonly deadLetters: DeadLetters | undefined;
}

export const flushOf = (
  generation: Generation,
  over: Partial<ReadModelFlush> = {},
): ReadModelFlush => ({
  generation,
  advances: [],
  rows: [],
  digests: [],
  notices: [],
  deadLetters: [],
  ...over,
});

export async function claimTwo(store: ReadModelStore, generation: Generation) {
  const owned = await store.claim(generation, places(0, 1));
  return [at(owned, 0), at(owned, 1)] as const;
}
