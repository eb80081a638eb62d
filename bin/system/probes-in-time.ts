import { setTimeout as delay } from "node:timers/promises";

import { assertPortFree } from "../port.ts";
import type { ProbesPlace } from "../probes-place.ts";
import type { ListeningProbes } from "./probes.ts";
import type { ProcessHealth } from "./process-health.ts";

/** A start that takes longer waits for something, and whoever watches is to see it. */
const startsWithinMs = 10_000;

/**
 * Serves health and metrics from when a start has ended, or is seen to wait. Loading a server of HTTP
 * takes as long as loading all that applies records, and nothing else happens meanwhile: no record is
 * applied, and what waits for this process in a transaction may give it up.
 *
 * @throws CommandFailure at once where the port that was named is taken, or the host isn't here.
 */
export async function probesInTime(
  place: ProbesPlace,
  health: ProcessHealth,
): Promise<ProbesInTime> {
  const { host, port } = place;
  await assertPortFree({ host, port: port ?? 0 });
  return new ProbesInTime(place, health);
}

export class ProbesInTime implements AsyncDisposable {
  readonly #started = new AbortController();
  readonly #listening: Promise<ListeningProbes>;

  constructor(place: ProbesPlace, health: ProcessHealth) {
    this.#listening = this.#listen(place, health);
    // Whoever waits for them meets the failure.
    this.#listening.catch(() => undefined);
  }

  /** The start has ended. @throws CommandFailure when no port can be had. */
  listening(): Promise<ListeningProbes> {
    this.#started.abort();
    return this.#listening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#started.abort();
    const probes = await this.#listening.catch(() => undefined);
    await probes?.close();
  }

  async #listen(place: ProbesPlace, health: ProcessHealth): Promise<ListeningProbes> {
    const { signal } = this.#started;
    await delay(startsWithinMs, undefined, { signal }).catch(() => undefined);
    const { listenProbes } = await import("./probes.ts");
    return listenProbes(place, health);
  }
}
