import { InvariantViolation } from "../errors.ts";
import { answerText } from "../kept-answer.ts";
import type { AnsweredOnce, KeptOnce, OnceMark } from "../ports/alongside.ts";
import type { AppendedEvent } from "../ports/appended.ts";
import type { Clock } from "../ports/clock.ts";
import type { IdempotencyKeys } from "../ports/idempotency-keys.ts";

type Of = Pick<OnceMark, "scope" | "key">;

/** What the store gave the events of a request, by their ids. */
export type Recorded = ReadonlyMap<string, AppendedEvent>;

/** Answers under clients' keys in memory: the exact reference of the port. */
export class MemoryIdempotencyKeys implements IdempotencyKeys {
  readonly #clock: Pick<Clock, "nowMs">;
  /** In order of being kept. */
  #kept = new Map<string, AnsweredOnce>();

  constructor(options: { readonly clock: Pick<Clock, "nowMs"> }) {
    this.#clock = options.clock;
  }

  /** Of these marks, those that stand for something; one that comes twice is in progress. */
  repeated(marks: readonly OnceMark[]): KeptOnce[] {
    const seen = new Set<string>();
    return marks.flatMap((mark): KeptOnce[] => {
      const id = idOf(mark);
      const known = this.#kept.get(id);
      const again = seen.has(id);
      seen.add(id);
      if (known) return [known];
      return again ? [{ state: "in-progress", scope: mark.scope, key: mark.key }] : [];
    });
  }

  /** Keeps the answers to an append: all of them, or none where one can't be kept. */
  keep(marks: readonly OnceMark[], recorded: Recorded): void {
    const keptAtMs = Math.floor(this.#clock.nowMs());
    const all = marks.map((mark) => answered(mark, recorded, keptAtMs));
    for (const kept of all) this.#kept.set(idOf(kept), kept);
  }

  /** @returns what puts everything back as it is now. */
  checkpoint(): () => void {
    const before = new Map(this.#kept);
    return () => {
      this.#kept = before;
    };
  }

  async find(of: Of): Promise<KeptOnce | undefined> {
    return this.#kept.get(idOf(of));
  }

  async purge(before: { readonly beforeMs: number; readonly limit: number }): Promise<number> {
    const old = [...this.#kept]
      .filter(([, { keptAtMs }]) => keptAtMs < before.beforeMs)
      .slice(0, before.limit);
    for (const [id] of old) this.#kept.delete(id);
    return old.length;
  }
}

function answered(mark: OnceMark, recorded: Recorded, keptAtMs: number): AnsweredOnce {
  const { scope, key, fingerprint } = mark;
  const answer: unknown = JSON.parse(answerText(mark));
  const events = mark.events.map((id) => {
    const at = recorded.get(id);
    if (at !== undefined) return at;
    throw new InvariantViolation(
      `The answer under the key "${key}" of ${scope} is about event ${id}, which its request ` +
        "doesn't have: a mark names events of its own request.",
    );
  });
  return { state: "answered", scope, key, fingerprint, answer, events, keptAtMs };
}

const idOf = ({ scope, key }: Of): string => JSON.stringify([scope, key]);
