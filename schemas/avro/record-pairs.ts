import type { RecordSchema } from "./schema.ts";

interface Pair {
  readonly reader: RecordSchema;
  readonly writer: RecordSchema;
}

interface Verdict {
  readonly compatible: boolean;
  /** Its faults are in the report already. */
  readonly told: boolean;
}

/**
 * What is known of pairs of records while two schemas are compared. A no is final. A yes may rest
 * on the yes of a pair that is still being compared, so when that one fails, every yes since it
 * began is forgotten.
 */
export class RecordPairs {
  readonly #verdicts = new Map<RecordSchema, Map<RecordSchema, Verdict>>();
  readonly #trail: Pair[] = [];

  /** undefined: compare it, either for a verdict or to tell faults that were found in a trial. */
  verdict(reader: RecordSchema, writer: RecordSchema, telling: boolean): boolean | undefined {
    const known = this.#verdicts.get(reader)?.get(writer);
    if (known === undefined) return undefined;
    return known.compatible || known.told || !telling ? known.compatible : undefined;
  }

  /** Takes the pair to be compatible; the mark is for `fail`. */
  begin(reader: RecordSchema, writer: RecordSchema): number {
    this.#set({ reader, writer }, { compatible: true, told: false });
    return this.#trail.push({ reader, writer }) - 1;
  }

  fail(mark: number, told: boolean): void {
    const [failed, ...since] = this.#trail.splice(mark);
    for (const { reader, writer } of since) {
      if (this.#verdicts.get(reader)?.get(writer)?.compatible === true) {
        this.#verdicts.get(reader)?.delete(writer);
      }
    }
    if (failed !== undefined) this.#set(failed, { compatible: false, told });
  }

  #set(pair: Pair, verdict: Verdict): void {
    const of = this.#verdicts.get(pair.reader) ?? new Map<RecordSchema, Verdict>();
    this.#verdicts.set(pair.reader, of.set(pair.writer, verdict));
  }
}
