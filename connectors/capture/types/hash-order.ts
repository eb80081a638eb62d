/** Capacity that Java's HashMap begins with; it doubles when three quarters are taken. */
const firstCapacity = 16;

/**
 * Entries in the order in which Java's HashMap of text keys gives them: by the bucket of the key's
 * hash, and within a bucket in the order in which they came
 * (https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/lang/String.html#hashCode()).
 * Keys must be distinct.
 */
export function inHashOrder<Value>(
  entries: readonly (readonly [string, Value])[],
): readonly (readonly [string, Value])[] {
  let capacity = firstCapacity;
  while (entries.length > capacity * 0.75) capacity *= 2;
  const bucket = (key: string): number => spreadHash(key) & (capacity - 1);
  return entries.toSorted(([one], [other]) => bucket(one) - bucket(other));
}

function spreadHash(key: string): number {
  let hash = 0;
  for (let at = 0; at < key.length; at++) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
  return hash ^ (hash >>> 16);
}
