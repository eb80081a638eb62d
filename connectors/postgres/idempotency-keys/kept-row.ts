import { InvariantViolation } from "../../../engine/errors.ts";
import type { AnsweredOnce, OnceMark } from "../../../engine/ports/alongside.ts";
import type { AppendedEvent } from "../../../engine/ports/appended.ts";
import { globalPosition, sequence } from "../../../engine/position.ts";

/** A row of `refold.kept_answers`. Whole numbers of 64 bits come as text inside arrays. */
export interface KeptRow {
  /** The mark's place in the call, from 1. */
  readonly mark: number;
  readonly fingerprint: string;
  readonly answer: unknown;
  readonly kept_at_ms: number;
  /** Of the events, in their order; null where there are none. */
  readonly positions: readonly (string | null)[] | null;
  readonly sequences: readonly (string | null)[] | null;
  readonly times: readonly (string | null)[] | null;
}

type Of = Pick<OnceMark, "scope" | "key">;

/** @throws InvariantViolation when one of its events isn't in the store. */
export function answeredOnce({ scope, key }: Of, row: KeptRow): AnsweredOnce {
  const { fingerprint, answer, kept_at_ms: keptAtMs } = row;
  const events = eventsOf(row, { scope, key });
  return { state: "answered", scope, key, fingerprint, answer, events, keptAtMs };
}

function eventsOf({ positions, sequences, times }: KeptRow, { scope, key }: Of): AppendedEvent[] {
  return (positions ?? []).map((position, index): AppendedEvent => {
    const [at, time] = [sequences?.[index], times?.[index]];
    if (position === null || at == null || time == null) {
      throw new InvariantViolation(
        `The answer kept under the key "${key}" of ${scope} is about an event that refold.events ` +
          "doesn't have: both were written in one transaction, so rows were removed since.",
      );
    }
    return {
      position: globalPosition(BigInt(position)),
      sequence: sequence(BigInt(at)),
      recordedAtMs: Number(time),
    };
  });
}
