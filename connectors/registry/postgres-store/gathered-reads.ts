import { Gathering } from "../../../engine/gathering.ts";
import type { SubjectName } from "../../../engine/ports/registry-store.ts";

/** Subjects that one statement asks for. */
const subjectsMax = 1_000;

interface Wanted<Found> {
  readonly name: SubjectName;
  found?: Found;
}

/**
 * Reads by subject, gathered: those that are asked for in one turn go together, and while one
 * statement is on its way the next fills. A start asks for every schema at once, and would take all
 * connections of the pool for questions that one of them answers.
 */
export class GatheredReads<Found> {
  readonly #reads: Gathering<Wanted<Found>>;

  constructor(read: (names: readonly SubjectName[]) => Promise<(name: SubjectName) => Found>) {
    const write = async (wanted: readonly Wanted<Found>[]): Promise<void> => {
      const foundOf = await read(wanted.map(({ name }) => name));
      for (const one of wanted) one.found = foundOf(one.name);
    };
    this.#reads = new Gathering({ write, batchMax: subjectsMax });
  }

  /** What is read begins after the call: it shows whatever was committed before. */
  async of(name: SubjectName): Promise<Found> {
    const wanted: Wanted<Found> = { name };
    await this.#reads.add(wanted);
    return wanted.found as Found;
  }
}

/** Contexts and subjects as a statement's two arrays, each name once. */
export function distinctNames(names: readonly SubjectName[]): [string[], string[]] {
  const distinct = [...new Map(names.map((name) => [subjectKey(name), name])).values()];
  return [distinct.map(({ context }) => context), distinct.map(({ subject }) => subject)];
}

export const subjectKey = ({ context, subject }: SubjectName): string =>
  JSON.stringify([context, subject]);
