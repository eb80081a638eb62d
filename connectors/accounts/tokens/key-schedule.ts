/** When a signing key is used, in milliseconds since 1970 (UTC). */
export interface KeyTimes {
  readonly signsFromMs: number;
  /** The next one signs from then on. */
  readonly signsUntilMs: number;
  /** When the last token that it signed is over. */
  readonly verifiesUntilMs: number;
}

export interface KeyPolicy {
  /** How long a key signs. */
  readonly keyMs: number;
  /** How long before it signs a key is published, for those who keep the set of keys. */
  readonly overlapMs: number;
  /** How long a token may live, skew of the clocks included. */
  readonly tokenMs: number;
}

/**
 * The key that signs at this time: the newest that has begun. Where none has, another instance whose
 * clock is ahead of ours has just made the first: it signs here, too.
 */
export function signerAt<Key extends KeyTimes>(
  keys: readonly Key[],
  nowMs: number,
): Key | undefined {
  const inOrder = keys
    .filter(({ signsUntilMs }) => nowMs < signsUntilMs)
    .toSorted((one, other) => one.signsFromMs - other.signsFromMs);
  return inOrder.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? inOrder[0];
}

/**
 * The times of the key to be made now; undefined: none is due. The first signs at once, and so does
 * one after a pause in which nobody asked; any other begins where the last one ends.
 */
export function dueKey(
  keys: readonly KeyTimes[],
  nowMs: number,
  policy: KeyPolicy,
): KeyTimes | undefined {
  const lastUntilMs = Math.max(...keys.map(({ signsUntilMs }) => signsUntilMs));
  if (lastUntilMs - policy.overlapMs > nowMs) return undefined;
  return keyFrom(Math.max(lastUntilMs, nowMs), policy);
}

/** The times of a key that signs from then on. */
export function keyFrom(signsFromMs: number, { keyMs, tokenMs }: KeyPolicy): KeyTimes {
  const signsUntilMs = signsFromMs + keyMs;
  return { signsFromMs, signsUntilMs, verifiesUntilMs: signsUntilMs + tokenMs };
}

/** A key that signs no more from this time on; tokens that it has signed stay good. */
export function endedAt<Key extends KeyTimes>(key: Key, nowMs: number, policy: KeyPolicy): Key {
  const signsUntilMs = Math.min(key.signsUntilMs, nowMs);
  const verifiesUntilMs = Math.min(key.verifiesUntilMs, signsUntilMs + policy.tokenMs);
  return { ...key, signsUntilMs, verifiesUntilMs };
}
