import type { LaneEnd } from "../../engine/ports/event-store.ts";

/** What the event store had recorded at a time. */
export interface LaneLook {
  /** Of the clock that never goes back. */
  readonly atMs: number;
  readonly incarnation: string;
  readonly lanes: readonly Omit<LaneEnd, "topic">[];
}

/** The last record of a lane that was applied. */
export interface AppliedRecord {
  readonly sequence: number;
  readonly incarnation: string;
  readonly eventId: string | undefined;
}

/** Looks that wait to be reached. Of more, the newest takes the place of the one before. */
const waitingMax = 64;

/**
 * The newest look at the event store of which everything has been applied. Where a lane ended
 * before the time from which the log is read, there is nothing of it to apply.
 */
export class LaneLooks {
  /** By partition. */
  readonly #last = new Map<number, AppliedRecord>();
  #waiting: LaneLook[] = [];
  #fromMs = Infinity;
  #appliedAtMs: number | undefined;

  /** When the newest look was taken whose every lane is applied; undefined: none yet is. */
  get appliedAtMs(): number | undefined {
    return this.#appliedAtMs;
  }

  /** The log is read from this recorded time on (milliseconds since 1970, UTC). */
  beginAt(fromMs: number): void {
    this.#fromMs = fromMs;
  }

  add(look: LaneLook): void {
    if (this.#waiting.length >= waitingMax) this.#waiting.pop();
    this.#waiting.push(look);
    this.applied();
  }

  /** A record was applied; one that was published again changes nothing. */
  advance(partition: number, applied: AppliedRecord): void {
    const known = this.#last.get(partition);
    const isNew =
      known === undefined ||
      known.incarnation !== applied.incarnation ||
      known.sequence < applied.sequence;
    if (isNew) this.#last.set(partition, applied);
  }

  /** Everything that was fetched is applied: compares. */
  applied(): void {
    const reached = this.#waiting.findLastIndex((look) => this.#isReached(look));
    if (reached < 0) return;
    this.#appliedAtMs = this.#waiting[reached]?.atMs;
    this.#waiting = this.#waiting.slice(reached + 1);
  }

  #isReached({ incarnation, lanes }: LaneLook): boolean {
    if (this.#fromMs === Infinity) return false;
    return lanes.every(({ partition, lastSequence, lastEventId, lastRecordedAtMs }) => {
      if (lastSequence === 0n || lastRecordedAtMs < this.#fromMs) return true;
      const applied = this.#last.get(partition);
      if (applied === undefined) return false;
      const beyond = BigInt(applied.sequence) - lastSequence;
      // A store that began a new life may have taken back what the log still holds of the old one:
      // then a sequence alone says nothing, but the event itself does.
      return beyond > 0n
        ? applied.incarnation === incarnation
        : beyond === 0n && isEvent(applied, { incarnation, lastEventId });
    });
  }
}

const isEvent = (
  applied: AppliedRecord,
  {
    incarnation,
    lastEventId,
  }: { readonly incarnation: string; readonly lastEventId?: string | undefined },
): boolean =>
  lastEventId === undefined ? applied.incarnation === incarnation : applied.eventId === lastEventId;
