/**
 * Layout of Kafka's RecordBatch, version 2 (https://kafka.apache.org/documentation/#recordbatch):
 * a header of fixed size, big endian, then the records, whose integers are zigzag varints. The
 * checksum covers everything from the attributes on, so that the base offset can still be set when
 * the rest is written.
 */
export const batchLayout = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

/** The length field counts what follows it. */
export const lengthPrefixBytes = 12;
export const magic = 2;

export const attributeBits = {
  compression: 0x07,
  logAppendTime: 0x08,
  control: 0x20,
} as const;
