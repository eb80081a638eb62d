/**
 * Who hears of which modules. An update of one module is none of those who listen to others: with
 * thousands of listeners even asking each of them would take longer than telling those it is for.
 */
export class Audience<Listener> implements Iterable<Listener> {
  readonly #all = new Set<Listener>();
  /** Of every module that somebody names; empty sets are dropped. */
  readonly #ofModule = new Map<string, Set<Listener>>();
  /** Those who named none hear of all. */
  readonly #ofAll = new Set<Listener>();

  get size(): number {
    return this.#all.size;
  }

  /** @returns what ends it. */
  add(listener: Listener, modules: ReadonlySet<string> | undefined): () => void {
    this.#all.add(listener);
    if (modules === undefined) this.#ofAll.add(listener);
    for (const code of modules ?? []) {
      const those = this.#ofModule.get(code) ?? new Set();
      this.#ofModule.set(code, those.add(listener));
    }
    return () => this.#remove(listener, modules);
  }

  /** Those who hear of the module, each once. */
  *of(moduleCode: string): Generator<Listener, void> {
    yield* this.#ofAll;
    yield* this.#ofModule.get(moduleCode) ?? [];
  }

  [Symbol.iterator](): Iterator<Listener> {
    return this.#all.values();
  }

  clear(): void {
    this.#all.clear();
    this.#ofAll.clear();
    this.#ofModule.clear();
  }

  #remove(listener: Listener, modules: ReadonlySet<string> | undefined): void {
    this.#all.delete(listener);
    this.#ofAll.delete(listener);
    for (const code of modules ?? []) {
      const those = this.#ofModule.get(code);
      those?.delete(listener);
      if (those?.size === 0) this.#ofModule.delete(code);
    }
  }
}
