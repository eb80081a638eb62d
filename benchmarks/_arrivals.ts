import { build, type Histogram } from "hdr-histogram-js";

/** Something that is on its way in a lane. Times are Unix milliseconds. */
export interface Expected {
  readonly sequence: bigint;
  /** When it was due to be sent, however late it was. */
  readonly dueAtMs: number;
  readonly recordedAtMs: number;
  /** Not before the load has been held for a while. */
  readonly measured: boolean;
}

interface Reached {
  readonly sequence: bigint;
  readonly atMs: number;
}

interface Lane {
  expected: Expected[];
  /** The last times that something came, so that an arrival may be told before it is expected. */
  reached: Reached[];
}

/** Of a lane, looked through for what is told late. */
const reachedMax = 2_000;

/**
 * How long what is recorded takes to arrive, where an arrival tells a lane and how far it has come
 * there. Which of the two is known first doesn't matter: the answer to an append may be read after
 * its row.
 */
export class Arrivals {
  /** In milliseconds, as all that are here. */
  readonly sinceRecorded = makeLatencies();
  readonly sinceDue = makeLatencies();
  arrived = 0;
  readonly #lanes = new Map<string, Lane>();

  expect(lane: string, expected: Expected): void {
    const { reached, expected: waiting } = this.#lane(lane);
    const found = reached.find(({ sequence }) => sequence >= expected.sequence);
    if (found) this.#arrive(expected, found.atMs);
    else waiting.push(expected);
  }

  /** Everything in the lane up to this sequence, itself included, is there. */
  reach(lane: string, sequence: bigint, atMs: number): void {
    const one = this.#lane(lane);
    if ((one.reached.at(-1)?.sequence ?? -1n) >= sequence) return;
    one.reached.push({ sequence, atMs });
    if (one.reached.length > 2 * reachedMax) one.reached = one.reached.slice(-reachedMax);
    one.expected = one.expected.filter((expected) => {
      if (expected.sequence > sequence) return true;
      this.#arrive(expected, atMs);
      return false;
    });
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known) return known;
    const lane: Lane = { expected: [], reached: [] };
    this.#lanes.set(name, lane);
    return lane;
  }

  #arrive({ dueAtMs, recordedAtMs, measured }: Expected, atMs: number): void {
    this.arrived += 1;
    if (!measured) return;
    this.sinceRecorded.recordValue(Math.round(Math.max(0, atMs - recordedAtMs)));
    this.sinceDue.recordValue(Math.round(Math.max(0, atMs - dueAtMs)));
  }
}

const makeLatencies = (): Histogram =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000 });
