import { setTimeout as sleep } from "node:timers/promises";

import { makePool, PostgresRebuilds } from "../connectors/postgres/index.ts";
import type { RebuildRecord, RebuildState } from "../engine/ports/rebuilds.ts";

const everyMs = 50;
const withinMs = 600_000;

/** Follows the newest rebuild of a projection, and notes when it was seen first in each state. */
export class RebuildWatch implements AsyncDisposable {
  /** On the clock of performance.now. */
  readonly atMs = new Map<RebuildState, number>();
  readonly #pool: ReturnType<typeof makePool>;
  readonly #projection: string;

  constructor(of: { readonly databaseUrl: string; readonly projection: string }) {
    this.#pool = makePool({ url: of.databaseUrl, name: "benchmark watch", connectionsMax: 1 });
    this.#projection = of.projection;
  }

  /** @throws Error when it fails, or doesn't come to this in ten minutes. */
  async until(state: RebuildState, signal: AbortSignal): Promise<RebuildRecord> {
    const rebuilds = new PostgresRebuilds({ pool: this.#pool });
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline && !signal.aborted) {
      const [rebuild] = await rebuilds.list({ projection: this.#projection, limit: 1 });
      if (rebuild && !this.atMs.has(rebuild.state)) {
        this.atMs.set(rebuild.state, performance.now());
      }
      if (rebuild?.state === state) return rebuild;
      if (rebuild?.failure) throw new Error(`The rebuild failed: ${rebuild.failure.message}`);
      await sleep(everyMs);
    }
    throw new Error(`The rebuild did not come to be ${state}.`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.end();
  }
}
