/**
 * Keys of the advisory locks of the event store. Pairs of 32-bit keys and single 64-bit keys are
 * different spaces to Postgres.
 *
 * - (space, 0): the store lock, shared by every append; exclusive for a condition without tags,
 *   for calls of very many tags, for a decision under the lock, and for taking a hold.
 * - (space, 1 to 1,024): the stripes that tags hash to. So many, that unrelated tags seldom meet;
 *   so few, that the lock table is large enough for any number of callers.
 * - floor + p: an append in flight whose positions all lie above p; shared, since two appends may
 *   begin at the same position.
 * - mark base + a hash of 48 bits: a client's key that a transaction is about to answer; only ever
 *   tried, so that it has no place in the order of locks.
 * - holder: the session that holds the store for an import.
 */
export const lockSpace = 1_382_446_188;
export const stripes = 1_024;

/** Marks the upper 15 bits, so that a position (below 2^48) is the rest. */
const floorMark = 0x5e_f0n;
export const floorBase = floorMark << 48n;

/** Beside the floors: a hash must not look like one of them. */
export const markBase = (floorMark + 1n) << 48n;

export const holderKey = 7_365_846_012n;
