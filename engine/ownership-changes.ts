/**
 * The sets of partitions that a member owned, for one reader. A set that was not read yet is
 * replaced by the next one, so that a slow reader sees the present, and nothing piles up.
 */
export class OwnershipChanges implements AsyncIterable<ReadonlySet<number>> {
  #last: ReadonlySet<number> | undefined;
  #unread: ReadonlySet<number> | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  /** Tells the reader, unless it is the set that was told last. */
  tell(partitions: Iterable<number>): void {
    const next = new Set(partitions);
    if (this.#last !== undefined && sameSet(this.#last, next)) return;
    this.#last = next;
    this.#unread = next;
    this.#wake?.();
  }

  /** As if these had not been told: the next set that has them is told, though it be the same. */
  forget(partitions: Iterable<number>): void {
    const last = new Set(this.#last);
    for (const partition of partitions) last.delete(partition);
    this.#last = last;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<ReadonlySet<number>> {
    while (!this.#ended) {
      const next = this.#unread;
      this.#unread = undefined;
      if (next !== undefined) yield next;
      else await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

const sameSet = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((partition) => b.has(partition));
