import { FatalError } from "../errors.ts";
import type { StoreHold } from "../ports/store-hold.ts";

interface Held {
  readonly name: string;
  readonly clockMs: number;
}

/** The hold of the event store in memory; its holder is never dead. */
export class MemoryStoreHold implements StoreHold {
  held: Held | undefined;

  async acquire(name: string, clockMs: number): Promise<void> {
    if (this.held !== undefined && this.held.name !== name) {
      throw new FatalError(
        "held",
        `The event store is held by ${this.held.name}.`,
        "Let it finish, or run it again to finish it and give the store back.",
      );
    }
    this.held = { name, clockMs: Math.max(this.held?.clockMs ?? clockMs, clockMs) };
  }

  async setClock(clockMs: number): Promise<void> {
    if (this.held === undefined) {
      throw new FatalError("hold-lost", "Nobody holds the event store.", "Acquire it first.");
    }
    await this.acquire(this.held.name, clockMs);
  }

  /** With an append of the holder's. */
  moveOn(clockMs: number): void {
    if (this.held && this.held.clockMs < clockMs) this.held = { ...this.held, clockMs };
  }

  async release(): Promise<void> {
    this.held = undefined;
  }

  async current(): Promise<Held | undefined> {
    return this.held;
  }
}
