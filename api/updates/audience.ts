/** Those who follow the same modules, and who are therefore told the same, byte by byte. */
export interface Group<Listener> {
  /** undefined: all modules. */
  readonly modules: ReadonlySet<string> | undefined;
  readonly listeners: ReadonlySet<Listener>;
}

interface OpenGroup<Listener> extends Group<Listener> {
  readonly key: string;
  readonly listeners: Set<Listener>;
}

/**
 * Who hears of which modules. An update of one module is none of those who listen to others: with
 * thousands of listeners even asking each of them would take longer than telling those it is for.
 */
export class Audience<Listener> implements Iterable<Listener> {
  #size = 0;
  /** By the modules that they follow; empty groups are dropped. */
  readonly #groups = new Map<string, OpenGroup<Listener>>();
  /** Of every module that somebody names; empty sets are dropped. */
  readonly #ofModule = new Map<string, Set<OpenGroup<Listener>>>();

  get size(): number {
    return this.#size;
  }

  /** @returns what ends it. */
  add(listener: Listener, modules: ReadonlySet<string> | undefined): () => void {
    const key = keyOf(modules);
    const group = this.#groups.get(key) ?? this.#open({ key, modules, listeners: new Set() });
    group.listeners.add(listener);
    this.#size += 1;
    return () => this.#remove(listener, group);
  }

  /** The groups that hear of the module; a listener is in one group. */
  *of(moduleCode: string): Generator<Group<Listener>, void> {
    const all = this.#groups.get(keyOf(undefined));
    if (all !== undefined) yield all;
    yield* this.#ofModule.get(moduleCode) ?? [];
  }

  /** Somebody hears of the module. */
  has(moduleCode: string): boolean {
    return this.#groups.has(keyOf(undefined)) || this.#ofModule.has(moduleCode);
  }

  *[Symbol.iterator](): Generator<Listener, void> {
    for (const { listeners } of this.#groups.values()) yield* listeners;
  }

  clear(): void {
    for (const { listeners } of this.#groups.values()) listeners.clear();
    this.#size = 0;
    this.#groups.clear();
    this.#ofModule.clear();
  }

  #open(group: OpenGroup<Listener>): OpenGroup<Listener> {
    this.#groups.set(group.key, group);
    for (const code of group.modules ?? []) {
      const those = this.#ofModule.get(code) ?? new Set();
      this.#ofModule.set(code, those.add(group));
    }
    return group;
  }

  #remove(listener: Listener, group: OpenGroup<Listener>): void {
    if (!group.listeners.delete(listener)) return;
    this.#size -= 1;
    if (group.listeners.size > 0) return;
    this.#groups.delete(group.key);
    for (const code of group.modules ?? []) {
      const those = this.#ofModule.get(code);
      those?.delete(group);
      if (those?.size === 0) this.#ofModule.delete(code);
    }
  }
}

/** The same for the same modules, in whatever order they were named. */
const keyOf = (modules: ReadonlySet<string> | undefined): string =>
  modules === undefined ? "all" : JSON.stringify([...modules].sort());
