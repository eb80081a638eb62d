import { RecordError, TransientError } from "../errors.ts";
import type { EventStore, QueryItem } from "../ports/event-store.ts";
import { globalPosition } from "../position.ts";

/** The largest position that a store can give: nothing comes after it. */
const lastPosition = globalPosition(2n ** 63n - 1n);

/**
 * The store's clock, read while nothing that matches was in flight: an append of nothing waits for
 * the locks of its condition, so whatever was recorded before the time it returns has committed, and
 * what comes later is recorded later. Its condition can't fail. Without tags it waits for every
 * append.
 */
export async function settledUntil(
  store: Pick<EventStore, "append">,
  of: Pick<QueryItem, "tags">,
): Promise<number> {
  const condition = [{ ...of, after: lastPosition }];
  const verdict = await store.append({ events: [], condition }, { as: "processor" });
  if (verdict.outcome === "appended" || verdict.outcome === "out-of-time") {
    return verdict.recordedAtMs;
  }
  // Neither can be: then no time is known to be settled.
  return 0;
}

/**
 * An event that is appended in this very millisecond is still recorded at this time, so that a time
 * is settled only when the clock has passed it.
 *
 * @throws RecordError `at-in-future`; TransientError `at-not-settled`.
 */
export function assertSettled(atMs: number, settledMs: number): void {
  if (atMs > settledMs) {
    const now = new Date(settledMs).toISOString();
    throw new RecordError(
      "at-in-future",
      `This time lies in the future: the store's clock says ${now}.`,
    );
  }
  if (atMs === settledMs) throw notSettled();
}

export const notSettled = (): TransientError =>
  new TransientError(
    "at-not-settled",
    "Events may still be recorded at this time. Try again in a moment.",
  );
