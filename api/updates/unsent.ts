import { type Notice, type PositionVector, subjectOf } from "./update.ts";

/**
 * The newest state of each module that is still to be told. Who puts notices puts those of a
 * partition in their order: then the first one of it tells how far a reader that goes away has got.
 */
export class Unsent {
  readonly #ofModule = new Map<string, Notice>();
  /** By partition, in the order of their sequences; empty sets are dropped. */
  readonly #ofPartition = new Map<number, Set<Notice>>();

  get size(): number {
    return this.#ofModule.size;
  }

  /** Stands for what was put of its module before. */
  put(notice: Notice): void {
    this.take(subjectOf(notice));
    this.#ofModule.set(subjectOf(notice), notice);
    const those = this.#ofPartition.get(notice.partition) ?? new Set();
    this.#ofPartition.set(notice.partition, those.add(notice));
  }

  /** Gives what is to be told of a module, which counts as told from here on. */
  take(moduleCode: string): Notice | undefined {
    const notice = this.#ofModule.get(moduleCode);
    if (notice === undefined) return undefined;
    this.#ofModule.delete(moduleCode);
    const those = this.#ofPartition.get(notice.partition);
    those?.delete(notice);
    if (those?.size === 0) this.#ofPartition.delete(notice.partition);
    return notice;
  }

  modules(): IterableIterator<string> {
    return this.#ofModule.keys();
  }

  clear(): void {
    this.#ofModule.clear();
    this.#ofPartition.clear();
  }

  /** Takes out of a vector what is not told of these modules (undefined: of all). */
  holdBack(vector: PositionVector, modules: ReadonlySet<string> | undefined): void {
    for (const { partition, sequence, incarnation } of this.#lowest(modules)) {
      // Of a life before, it is behind everything of this one.
      vector.holdBack(partition, incarnation === vector.incarnation ? sequence - 1 : 0);
    }
  }

  /** Among those of the modules, at least the lowest of each partition. */
  *#lowest(modules: ReadonlySet<string> | undefined): Generator<Notice> {
    if (modules === undefined) {
      for (const [first] of this.#ofPartition.values()) if (first !== undefined) yield first;
      return;
    }
    for (const code of modules) {
      const notice = this.#ofModule.get(code);
      if (notice !== undefined) yield notice;
    }
  }
}
