import type { Clock } from "../ports/clock.ts";
import type { Drift, Drifts } from "../ports/drifts.ts";
import type { Generations } from "../ports/generations.ts";
import type { Generation } from "../ports/read-model-store.ts";
import { compareText } from "./find-rows.ts";

export interface MemoryDriftsOptions {
  readonly clock: Pick<Clock, "nowMs">;
  readonly generations: Pick<Generations, "list">;
  /** Keys of one generation (default 1,000). */
  readonly keysMax?: number;
}

/** Drift in memory: the reference of the port. */
export class MemoryDrifts implements Drifts {
  readonly #options: MemoryDriftsOptions;
  readonly #found = new Map<string, Map<string, Drift>>();

  constructor(options: MemoryDriftsOptions) {
    this.#options = options;
  }

  async note(drift: Omit<Drift, "foundAtMs">): Promise<void> {
    const { clock, keysMax = 1_000 } = this.#options;
    const name = nameOf(drift);
    const found = this.#found.get(name) ?? new Map<string, Drift>();
    if (!found.has(drift.key) && found.size >= keysMax) return;
    this.#found.set(name, found.set(drift.key, { ...drift, foundAtMs: clock.nowMs() }));
  }

  async clear(of: Pick<Generation, "projection" | "generation">, key: string): Promise<void> {
    this.#found.get(nameOf(of))?.delete(key);
  }

  async list(projection?: string): Promise<readonly Drift[]> {
    const generations = await this.#options.generations.list(projection);
    const serving = generations.filter(({ role }) => role === "serving");
    return serving.flatMap((of) =>
      [...(this.#found.get(nameOf(of))?.values() ?? [])].sort((one, other) =>
        compareText(one.key, other.key),
      ),
    );
  }
}

const nameOf = ({ projection, generation }: Pick<Generation, "projection" | "generation">) =>
  `${projection} ${generation}`;
