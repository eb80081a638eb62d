import type { Deadline, DeadlineChange, Deadlines } from "../ports/deadlines.ts";

type Named = Pick<Deadline, "name" | "key">;

/** Deadlines in memory: the exact reference of the port. */
export class MemoryDeadlines implements Deadlines {
  #set = new Map<string, Deadline>();

  /** What an append sets and cancels. */
  change(changes: readonly DeadlineChange[]): void {
    for (const one of changes) {
      if (one.change === "cancel") {
        this.#set.delete(idOf(one));
        continue;
      }
      const { change: _, ...deadline } = one;
      this.#set.set(idOf(one), { ...deadline, tags: [...deadline.tags] });
    }
  }

  /** @returns what puts everything back as it is now. */
  checkpoint(): () => void {
    const before = new Map(this.#set);
    return () => {
      this.#set = before;
    };
  }

  async due(ask: {
    readonly names: readonly string[];
    readonly nowMs: number;
    readonly limit: number;
  }): Promise<readonly Deadline[]> {
    const due = this.#inOrder(({ name, atMs }) => ask.names.includes(name) && atMs <= ask.nowMs);
    return due.slice(0, ask.limit);
  }

  async nextAtMs(names: readonly string[]): Promise<number | undefined> {
    return this.#inOrder(({ name }) => names.includes(name))[0]?.atMs;
  }

  async settle(passed: readonly Pick<Deadline, "name" | "key" | "atMs">[]): Promise<void> {
    for (const one of passed) {
      if (this.#set.get(idOf(one))?.atMs === one.atMs) this.#set.delete(idOf(one));
    }
  }

  async tagged(tag: string, limit: number): Promise<readonly Deadline[]> {
    return this.#inOrder(({ tags }) => tags.includes(tag)).slice(0, limit);
  }

  /** Those of one time by name and key, so that the order is the same everywhere. */
  #inOrder(wanted: (deadline: Deadline) => boolean): Deadline[] {
    return [...this.#set.values()].filter(wanted).sort(inOrder);
  }
}

const idOf = ({ name, key }: Named): string => JSON.stringify([name, key]);

function inOrder(one: Deadline, other: Deadline): number {
  if (one.atMs !== other.atMs) return one.atMs - other.atMs;
  if (one.name !== other.name) return one.name < other.name ? -1 : 1;
  return one.key < other.key ? -1 : 1;
}
