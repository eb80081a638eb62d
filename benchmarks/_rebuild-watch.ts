import { setTimeout as sleep } from "node:timers/promises";
import type { Static } from "typebox";

import type { Rebuild } from "../api/rebuilds/shape.ts";

export type WatchedRebuild = Static<typeof Rebuild>;
type State = WatchedRebuild["state"];

const everyMs = 50;
const withinMs = 600_000;

/** Follows the newest rebuild of a projection, and notes when it was seen first in each state. */
export class RebuildWatch {
  /** On the clock of performance.now. */
  readonly atMs = new Map<State, number>();
  readonly #url: string;

  constructor(of: { readonly httpUrl: string; readonly projection: string }) {
    this.#url = `${of.httpUrl}/admin/rebuilds?projection=${of.projection}&limit=1`;
  }

  /** @throws Error when it ends otherwise, or doesn't come to this in ten minutes. */
  async until(state: State, signal: AbortSignal): Promise<WatchedRebuild> {
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline && !signal.aborted) {
      const rebuild = await this.#look();
      if (rebuild?.state === state) return rebuild;
      if (rebuild?.failure) throw new Error(`The rebuild failed: ${rebuild.failure.message}`);
      await sleep(everyMs);
    }
    throw new Error(`The rebuild did not come to be ${state}.`);
  }

  async #look(): Promise<WatchedRebuild | undefined> {
    const answer = await fetch(this.#url);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Rebuilds were answered ${answer.status} ${text}`);
    const rebuild = (JSON.parse(text) as { rebuilds: WatchedRebuild[] }).rebuilds[0];
    if (rebuild && !this.atMs.has(rebuild.state)) this.atMs.set(rebuild.state, performance.now());
    return rebuild;
  }
}
