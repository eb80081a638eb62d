import type { Random } from "../../../engine/ports/clock.ts";
import { type OfferedModule, studentName, wanted } from "./campus.ts";

/** What a student comes for, settled before the rush begins. */
export interface Wish {
  /** Milliseconds after the rush's begin: it is sent then, whatever became of the others. */
  readonly atMs: number;
  /** Names the wish, and the keys of its requests begin with it. */
  readonly name: string;
  readonly studentId: string;
  readonly moduleCode: string;
  /** A token of the sandbox; undefined: a fee is never paid. */
  readonly card: string | undefined;
  /** Between the answer that holds the seat and the card. */
  readonly thinkMs: number;
  /** A seat is given back so long after it was given; undefined: never. */
  readonly regretMs: number | undefined;
}

export interface ScheduleOptions {
  readonly students: number;
  readonly modules: readonly OfferedModule[];
  /** Wishes that arrive, on average. */
  readonly perSecond: number;
  readonly random: Random;
}

/** Of each hundred cards so many have this mood. */
const moods: readonly (readonly [number, string | undefined])[] = [
  [66, "tok_ok"],
  [8, "tok_duplicate"],
  [6, "tok_lost_answer"],
  [5, "tok_delay_1500"],
  [5, "tok_declined"],
  [3, "tok_insufficient_funds"],
  [3, "tok_late"],
  [2, "tok_no_answer"],
  [2, undefined],
];

const regretting = 0.05;
const impatient = 0.02;

/** How many wishes so many students have: each one, and each second student another. */
export const wishesOf = (students: number): number => students + Math.floor(students / 2);

/**
 * Arrivals of a Poisson process, in order of time: a student comes when he comes, and waits for
 * nobody else's answer. Some send a wish twice, half a second later, as another request.
 */
export function scheduleOf(options: ScheduleOptions): readonly Wish[] {
  const { students, random } = options;
  const wishes: Wish[] = [];
  let atMs = 0;
  for (const index of shuffled(wishesOf(students), random)) {
    atMs += (-Math.log(1 - random.next()) * 1_000) / options.perSecond;
    const wish = wishOf(options, index % students, { name: `wish-${index + 1}`, atMs });
    wishes.push(wish);
    if (random.next() < impatient) {
      wishes.push({ ...wish, name: `${wish.name}-again`, atMs: atMs + 500 });
    }
  }
  return wishes.sort((one, other) => one.atMs - other.atMs);
}

function wishOf(
  { modules, random }: ScheduleOptions,
  student: number,
  common: Pick<Wish, "name" | "atMs">,
): Wish {
  return {
    ...common,
    studentId: studentName(student),
    moduleCode: wanted(modules, random).code,
    card: mood(random),
    thinkMs: 200 + random.next() * 1_800,
    regretMs: random.next() < regretting ? 500 + random.next() * 6_000 : undefined,
  };
}

function mood(random: Random): string | undefined {
  let left = random.next() * 100;
  for (const [percent, card] of moods) if ((left -= percent) < 0) return card;
  return "tok_ok";
}

/** Fisher and Yates, as Durstenfeld has it. */
function shuffled(count: number, random: Random): readonly number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random.next() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}
