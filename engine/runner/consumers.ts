import type { GenerationHold } from "../ports/generations.ts";
import type { LiveConsumer } from "./live-consumer.ts";

/** The consumers of a process: which there are changes while it runs. */
export class Consumers {
  readonly #live = new Set<LiveConsumer>();
  readonly #ending = new Set<LiveConsumer>();
  readonly #finished = Promise.withResolvers<void>();
  #state: "created" | "running" | "stopping" = "created";

  /** Those at work, in the order in which they were added. */
  get all(): readonly LiveConsumer[] {
    return [...this.#live];
  }

  of(name: string): readonly LiveConsumer[] {
    return this.all.filter(({ task }) => task.name === name);
  }

  find(name: string, generation: number | undefined): LiveConsumer | undefined {
    return this.of(name).find((one) => one.generation === generation);
  }

  /** The one that serves (or the definition's only one). */
  serving(name: string): LiveConsumer | undefined {
    return this.of(name).find(({ duty }) => duty.role === "serving");
  }

  /** Is one of this generation still draining? Its partitions aren't free yet. */
  isEnding(name: string, generation: number): boolean {
    return [...this.#ending].some((one) => one.task.name === name && one.generation === generation);
  }

  /** It begins at once where the others run; where they stop, it begins only to give back. */
  add(live: LiveConsumer): void {
    this.#live.add(live);
    if (this.#state === "stopping") live.consumer.stop();
    if (this.#state !== "created") this.#begin(live);
  }

  /**
   * Runs all until `stop`.
   *
   * @returns Rejects when one ends that nothing may catch; the others go on until they are stopped.
   */
  run(): Promise<void> {
    this.#state = "running";
    for (const live of this.#live) this.#begin(live);
    return this.#finished.promise;
  }

  /** Takes one out: it flushes what is folded and gives its partitions back. */
  async retire(live: LiveConsumer): Promise<void> {
    this.#live.delete(live);
    for (const one of this.#live) if (one.after === live) one.after = undefined;
    this.#ending.add(live);
    live.consumer.stop();
    await live.consumer.stopped;
    this.#ending.delete(live);
  }

  /** Passes on what is held now. */
  hold(holds: readonly GenerationHold[]): void {
    for (const { consumer, task, generation } of this.#live) {
      if (generation === undefined) continue;
      consumer.hold(
        holds.filter((hold) => hold.projection === task.name && hold.generation === generation),
      );
    }
  }

  /** Asks all to stop; what `stopped` waits for. */
  stop(): void {
    this.#state = "stopping";
    for (const { consumer } of this.#live) consumer.stop();
  }

  /** Resolves when all have given back what they had. Nothing may be added any more. */
  async stopped(): Promise<void> {
    const all = [...this.#live, ...this.#ending];
    await Promise.all(all.map(({ consumer }) => consumer.stopped));
    this.#finished.resolve();
  }

  #begin({ consumer }: LiveConsumer): void {
    consumer.run().catch((error: unknown) => this.#finished.reject(error));
  }
}
