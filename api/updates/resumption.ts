import { Unsent } from "./unsent.ts";
import { type Notice, type PositionVector, subjectOf } from "./update.ts";

/**
 * What a resumed listener has of its own until it is told the same as all others: how far its
 * replay has got, which may be further than the feed, and what it missed and hasn't been told.
 */
export class Resumption {
  /** Everything up to here was told to the listener, or is among `#missed`. */
  readonly #seen: PositionVector;
  readonly #missed = new Unsent();
  /** What the feed told during the replay, which may or may not have found the same. */
  #meanwhile: Notice[] | undefined = [];

  constructor(after: PositionVector) {
    this.#seen = after.copy();
  }

  get incarnation(): string {
    return this.#seen.incarnation;
  }

  /** It still reads what was missed. */
  get replaying(): boolean {
    return this.#meanwhile !== undefined;
  }

  /** Notices that are kept. */
  get size(): number {
    return this.#missed.size + (this.#meanwhile?.length ?? 0);
  }

  /** A notice from the replay; those of modules that nobody wants only move the place. */
  missed(notice: Notice, wanted: boolean): void {
    if (this.#seen.advance(notice) && wanted) this.#missed.put(notice);
  }

  /** What the feed told during the replay. */
  keep(notice: Notice): void {
    this.#meanwhile?.push(notice);
  }

  /** The replay is over. @returns the modules of which something was missed. */
  replayed(): readonly string[] {
    const meanwhile = (this.#meanwhile ?? []).filter((notice) => !this.#seen.covers(notice));
    this.#meanwhile = undefined;
    // Windows end in another order than that of the log.
    meanwhile.sort((one, other) => one.sequence - other.sequence);
    for (const notice of meanwhile) this.#missed.put(notice);
    return [...this.#missed.modules()];
  }

  /** What was missed of a module; undefined: something newer was told since. */
  take(moduleCode: string): Notice | undefined {
    return this.#missed.take(moduleCode);
  }

  /** False for what the replay has found, too. True: it is told, instead of what was missed. */
  isNews(notice: Notice): boolean {
    if (this.#seen.covers(notice)) return false;
    this.#missed.take(subjectOf(notice));
    return true;
  }

  /** Where the listener stands, when the others, for the same modules, stand at `others`. */
  position(others: PositionVector): PositionVector {
    const vector = others.copy();
    vector.join(this.#seen);
    this.#missed.holdBack(vector, undefined);
    return vector;
  }

  /** From now on the listener may be told what the others are. */
  isOver(others: PositionVector): boolean {
    return !this.replaying && this.#missed.size === 0 && others.coversAll(this.#seen);
  }
}
