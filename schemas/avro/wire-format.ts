/**
 * The Confluent wire format: a zero byte, the schema's id (4 bytes, big endian), the Avro bytes
 * (https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/).
 */
export const frameBytes = 5;

export function framed(schemaId: number, avro: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(frameBytes + avro.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(schemaId, 1);
  bytes.set(avro, frameBytes);
  return bytes;
}

/** The schema's id of framed bytes in [start, end); undefined when they are not framed. */
export function schemaIdOf(
  bytes: Buffer,
  start = 0,
  end: number = bytes.length,
): number | undefined {
  return end - start < frameBytes || bytes[start] !== 0 ? undefined : bytes.readUInt32BE(start + 1);
}
