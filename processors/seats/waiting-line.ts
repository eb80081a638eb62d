import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

/** A student who waits, and has no offer. */
export interface Waiting {
  readonly registrationId: string;
  readonly studentId: string;
}

type List<Item> = { readonly first: Item; readonly rest: List<Item> } | undefined;

/**
 * Who waits for a seat of a module, in the order in which they joined: a queue of two lists, the
 * oldest of `front` first and the newest of `back` first (C. Okasaki, Purely Functional Data
 * Structures, section 5.2). To join costs one node; an array would be copied at every event.
 *
 * Who leaves is only noted, and is taken out of the queue with the next offer.
 */
export interface WaitingLine {
  readonly front: List<Waiting>;
  readonly back: List<Waiting>;
  readonly left: List<string>;
}

const empty: WaitingLine = { front: undefined, back: undefined, left: undefined };

/** Only what offers seats reads it: registrations have enough in the counts of `moduleSeats`. */
export const waitingLine = defineDecisionModel({
  name: "waiting-line",
  tag: "module",
  topic: moduleEvents,
  initial: empty,
  on: {
    WaitlistJoined: (line, { registrationId, studentId }): WaitingLine => ({
      ...line,
      back: { first: { registrationId, studentId }, rest: line.back },
    }),
    WaitlistLeft: (line, { offered, registrationId }): WaitingLine =>
      offered ? line : { ...line, left: { first: registrationId, rest: line.left } },
    SeatOffered: (line, { registrationId }): WaitingLine => {
      const turned = line.front === undefined ? turnedOver(line) : line;
      const isFirst = turned.front?.first.registrationId === registrationId;
      return isFirst ? { ...turned, front: turned.front.rest } : without(turned, registrationId);
    },
    // The line of a withdrawn module has been cleared in the same append.
    ModuleWithdrawn: (): WaitingLine => empty,
  },
});

/** The first of the line, at most so many. */
export function firstInLine(line: WaitingLine, atMost: number): readonly Waiting[] {
  const gone = new Set(walk(line.left));
  const first: Waiting[] = [];
  for (const waiting of inOrder(line)) {
    if (first.length === atMost) break;
    if (!gone.has(waiting.registrationId)) first.push(waiting);
  }
  return first;
}

function* inOrder({ front, back }: WaitingLine): Generator<Waiting> {
  yield* walk(front);
  yield* [...walk(back)].toReversed();
}

const turnedOver = (line: WaitingLine): WaitingLine => ({
  front: listOf([...inOrder(line)]),
  back: undefined,
  left: line.left,
});

/** The queue without one of it, and without those who left. */
function without(line: WaitingLine, registrationId: string): WaitingLine {
  const gone = new Set(walk(line.left)).add(registrationId);
  const rest = [...inOrder(line)].filter((waiting) => !gone.has(waiting.registrationId));
  return { front: listOf(rest), back: undefined, left: undefined };
}

const listOf = (waiting: readonly Waiting[]): List<Waiting> =>
  waiting.reduceRight<List<Waiting>>((rest, first) => ({ first, rest }), undefined);

function* walk<Item>(list: List<Item>): Generator<Item> {
  for (let node = list; node !== undefined; node = node.rest) yield node.first;
}
