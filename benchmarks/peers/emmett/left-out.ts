import { cartCounts } from "../../_carts.ts";
import type { StoredCart } from "./carts.ts";

/** What a rebuild has left out. */
export interface LeftOut {
  readonly events: number;
  /** Rows that differ from the counts, or are missing. */
  readonly rows: number;
}

/**
 * Compares documents with counts made without any library.
 * @throws Error for a row that has all its events and another count, and for more events than there
 * are: then nothing can be said about how fast it was.
 */
export function leftOutOf(documents: readonly StoredCart[], events: number): LeftOut {
  const expected = cartCounts(events);
  let applied = 0;
  let right = 0;
  for (const document of documents) {
    applied += document.applied;
    if (expected.get(document.cartId) === document.productItemsCount) right += 1;
  }
  const left = { events: events - applied, rows: expected.size - right };
  if (left.events < 0 || documents.length > expected.size) {
    throw new Error(`The rebuild has ${applied} events in its documents, of ${events}.`);
  }
  if (left.events === 0 && left.rows > 0) {
    throw new Error(`The rebuild has all events, and ${left.rows} wrong rows.`);
  }
  return left;
}
