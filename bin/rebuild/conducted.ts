import { watchRebuild } from "../../api/rebuilds/watch.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { RebuildRecord, Rebuilds } from "../../engine/ports/rebuilds.ts";
import { isEqual } from "../../engine/rebuild/index.ts";

export interface ConductedOptions {
  readonly rebuilds: Rebuilds;
  readonly generations: Pick<Generations, "turns">;
  /** Works on it until it is over or the signal aborts; undefined: somebody else does. */
  readonly conduct: (id: bigint, signal: AbortSignal) => Promise<RebuildRecord | undefined>;
  readonly tell: (record: RebuildRecord) => void;
  /** Asked once when rows differ: may it be swapped in all the same? undefined: nobody can be asked. */
  readonly accepts: ((record: RebuildRecord, signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Ends it before the rebuild is over. */
  readonly signal: AbortSignal;
}

/** A proof is there, rows differ, and nobody has accepted that. */
export const waitsForAcceptance = ({ state, request, proof }: RebuildRecord): boolean =>
  state === "proved" && !request.accept && proof !== undefined && !isEqual(proof);

/**
 * Conducts a rebuild in this process, unless another one does, and tells its records meanwhile: until
 * it is over, waits for an acceptance that isn't given, or the signal aborts. The lease is given back.
 *
 * @returns The record as it was seen last; undefined: it was never seen.
 */
export async function conducted(
  id: bigint,
  options: ConductedOptions,
): Promise<RebuildRecord | undefined> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);
  const work = new Work(id, options, signal);
  let last: RebuildRecord | undefined;
  let asked = false;
  try {
    for await (const record of watchRebuild(id, { ...options, signal })) {
      last = record;
      options.tell(record);
      work.see(record);
      if (!waitsForAcceptance(record)) continue;
      if (asked || !(await accepted(record, options, signal))) break;
      asked = true;
    }
  } finally {
    leaving.abort();
    await work.ended();
  }
  // What was written when the lease was given back.
  return (await options.rebuilds.find(id)) ?? last;
}

async function accepted(
  record: RebuildRecord,
  { accepts, rebuilds }: ConductedOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (accepts === undefined || !(await accepts(record, signal))) return false;
  await rebuilds.wish(record.id, "run", { accept: true });
  return true;
}

/** The conductor of this process: begun when nobody conducts, and again when somebody has gone. */
class Work {
  readonly #id: bigint;
  readonly #options: ConductedOptions;
  readonly #signal: AbortSignal;
  #running: Promise<unknown> | undefined;
  #failure: unknown;

  constructor(id: bigint, options: ConductedOptions, signal: AbortSignal) {
    this.#id = id;
    this.#options = options;
    this.#signal = signal;
    this.#begin();
  }

  see({ conductor }: RebuildRecord): void {
    if (conductor === undefined && this.#running === undefined) this.#begin();
  }

  /** @throws what the conductor has thrown. */
  async ended(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #begin(): void {
    if (this.#signal.aborted || this.#failure !== undefined) return;
    this.#running = this.#options
      .conduct(this.#id, this.#signal)
      .catch((error: unknown) => (this.#failure = error))
      .finally(() => (this.#running = undefined));
  }
}
