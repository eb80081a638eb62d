import type { SubjectName } from "../../../engine/ports/registry-store.ts";

/** Subjects that one statement asks for. */
const subjectsMax = 1_000;

interface Wanted<Found> {
  readonly name: SubjectName;
  readonly told: PromiseWithResolvers<Found>;
}

/**
 * Reads by subject, gathered: those that are asked for in one turn go together, and while one
 * statement is on its way the next fills. A start asks for every schema at once, and would take all
 * connections of the pool for questions that one of them answers.
 */
export class GatheredReads<Found> {
  readonly #read: (names: readonly SubjectName[]) => Promise<(name: SubjectName) => Found>;
  #wanted: Wanted<Found>[] = [];
  #reading = false;

  constructor(read: (names: readonly SubjectName[]) => Promise<(name: SubjectName) => Found>) {
    this.#read = read;
  }

  /** What is read begins after the call: it shows whatever was committed before. */
  of(name: SubjectName): Promise<Found> {
    const told = Promise.withResolvers<Found>();
    this.#wanted.push({ name, told });
    if (!this.#reading) void this.#run();
    return told.promise;
  }

  /** Never rejects: a statement that fails, fails for those who asked with it. */
  async #run(): Promise<void> {
    this.#reading = true;
    await Promise.resolve();
    while (this.#wanted.length > 0) {
      const wanted = this.#wanted.splice(0, subjectsMax);
      try {
        const foundOf = await this.#read(wanted.map(({ name }) => name));
        for (const { name, told } of wanted) told.resolve(foundOf(name));
      } catch (error) {
        for (const { told } of wanted) told.reject(error);
      }
    }
    this.#reading = false;
  }
}

/** Contexts and subjects as a statement's two arrays, each name once. */
export function distinctNames(names: readonly SubjectName[]): [string[], string[]] {
  const distinct = [...new Map(names.map((name) => [subjectKey(name), name])).values()];
  return [distinct.map(({ context }) => context), distinct.map(({ subject }) => subject)];
}

export const subjectKey = ({ context, subject }: SubjectName): string =>
  JSON.stringify([context, subject]);
