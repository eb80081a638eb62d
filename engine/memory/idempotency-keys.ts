import type { Appended } from "../ports/appended.ts";
import type { KeptOnce, OnceMark } from "../ports/alongside.ts";
import type { Clock } from "../ports/clock.ts";
import type { IdempotencyKeys } from "../ports/idempotency-keys.ts";
import { jsonCopy } from "./json-copy.ts";

type Of = Pick<OnceMark, "scope" | "key">;

interface Entry {
  readonly keptAtMs: number;
  readonly kept: Extract<KeptOnce, { state: "answered" }>;
}

/** Answers under clients' keys in memory: the exact reference of the port. */
export class MemoryIdempotencyKeys implements IdempotencyKeys {
  readonly #clock: Pick<Clock, "nowMs">;
  /** In order of being kept. */
  #kept = new Map<string, Entry>();

  constructor(options: { readonly clock: Pick<Clock, "nowMs"> }) {
    this.#clock = options.clock;
  }

  /** Of these marks, those that stand for something; one that comes twice is in progress. */
  repeated(marks: readonly OnceMark[]): KeptOnce[] {
    const seen = new Set<string>();
    return marks.flatMap((mark): KeptOnce[] => {
      const id = idOf(mark);
      const known = this.#kept.get(id)?.kept;
      const again = seen.has(id);
      seen.add(id);
      if (known) return [known];
      return again ? [{ state: "in-progress", scope: mark.scope, key: mark.key }] : [];
    });
  }

  /** Keeps the answers to an append: all of them, or none where one can't be made. */
  keep(marks: readonly OnceMark[], appended: Appended): void {
    const answers = marks.map((mark) => jsonCopy(mark.answer(appended)));
    for (const [index, mark] of marks.entries()) {
      const { scope, key, fingerprint } = mark;
      const kept = { state: "answered", scope, key, fingerprint, answer: answers[index] } as const;
      this.#kept.set(idOf(mark), { keptAtMs: this.#clock.nowMs(), kept });
    }
  }

  /** @returns what puts everything back as it is now. */
  checkpoint(): () => void {
    const before = new Map(this.#kept);
    return () => {
      this.#kept = before;
    };
  }

  async find(of: Of): Promise<KeptOnce | undefined> {
    return this.#kept.get(idOf(of))?.kept;
  }

  async purge(before: { readonly beforeMs: number; readonly limit: number }): Promise<number> {
    const old = [...this.#kept]
      .filter(([, { keptAtMs }]) => keptAtMs < before.beforeMs)
      .slice(0, before.limit);
    for (const [id] of old) this.#kept.delete(id);
    return old.length;
  }
}

const idOf = ({ scope, key }: Of): string => JSON.stringify([scope, key]);
