/**
 * MurmurHash2 of 32 bits (Austin Appleby, public domain) with Kafka's seed, as a signed integer:
 * what `org.apache.kafka.common.utils.Utils.murmur2` gives for the same bytes.
 */
export function murmur2(bytes: Uint8Array): number {
  const multiplier = 0x5bd1e995;
  const length = bytes.length;
  const whole = length & ~3;
  let hash = 0x9747b28c ^ length;
  for (let at = 0; at < whole; at += 4) {
    let word = littleEndianWord(bytes, at);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const rest = length & 3;
  if (rest > 2) hash ^= byteAt(bytes, whole + 2) << 16;
  if (rest > 1) hash ^= byteAt(bytes, whole + 1) << 8;
  if (rest > 0) hash = Math.imul(hash ^ byteAt(bytes, whole), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

/**
 * The partition of a key, the same in every log: what Kafka's default partitioner chooses for the
 * key's bytes (a string counts as its UTF-8 bytes).
 *
 * @param partitions At least 1.
 */
export function partitionOf(key: Uint8Array | string, partitions: number): number {
  const bytes = typeof key === "string" ? Buffer.from(key, "utf8") : key;
  return (murmur2(bytes) & 0x7fffffff) % partitions;
}

function littleEndianWord(bytes: Uint8Array, at: number): number {
  const low = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8);
  return low | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
