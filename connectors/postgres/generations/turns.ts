import { setTimeout as sleep } from "node:timers/promises";

import type { Pool, PoolClient } from "pg";

import { Turns } from "../../../engine/turns.ts";
import { Listener, listenConfig } from "../listener.ts";

const channel = "refold_generations";

/** Wakes everybody who follows turns, once the caller's transaction has committed. */
export async function giveTurn(client: Pick<PoolClient, "query">): Promise<void> {
  await client.query(`select pg_notify('${channel}', '')`);
}

export interface ListenedTurnsOptions {
  readonly pool: Pool;
  readonly listenUrl?: string;
}

/** Turns after changes by any process: one connection listens while somebody follows. */
export class ListenedTurns {
  readonly #options: ListenedTurnsOptions;
  readonly #turns = new Turns({
    sleep: async (ms, signal) => {
      await sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
    },
  });
  #listener: Listener | undefined;
  #followers = 0;

  constructor(options: ListenedTurnsOptions) {
    this.#options = options;
  }

  async *follow(signal: AbortSignal): AsyncIterable<void> {
    this.#followers += 1;
    this.#listener ??= new Listener({
      listen: listenConfig(this.#options, "turns"),
      channel,
      onHeard: () => this.#turns.give(),
    });
    this.#listener.begin();
    try {
      yield* this.#turns.follow(signal);
    } finally {
      this.#followers -= 1;
      if (this.#followers === 0) await this.#stopListening();
    }
  }

  async #stopListening(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.[Symbol.asyncDispose]();
  }
}
