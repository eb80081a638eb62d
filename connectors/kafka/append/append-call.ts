import type { AppendedRange, RecordToAppend } from "../../../engine/ports/record-log.ts";
import { offset } from "../../../engine/position.ts";

/** Records of one call for one partition, small enough to stand in a batch together. */
export interface Parcel {
  readonly records: readonly RecordToAppend[];
  readonly bytes: number;
  readonly call: AppendCall;
}

/** What one call appends to one partition, until all of it is acknowledged or some of it fails. */
export class AppendCall {
  readonly done: Promise<AppendedRange>;
  readonly #target: { readonly topic: string; readonly partition: number };
  #resolve: (range: AppendedRange) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #left: number;
  #first: bigint | undefined;

  constructor(target: { readonly topic: string; readonly partition: number }, records: number) {
    this.#target = target;
    this.#left = records;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who waits for it may do so only after it has failed.
    this.done.catch(() => undefined);
  }

  appended(firstOffset: bigint, count: number): void {
    this.#first ??= firstOffset;
    this.#left -= count;
    if (this.#left > 0) return;
    const { topic, partition } = this.#target;
    const endOffset = offset(firstOffset + BigInt(count));
    this.#resolve({ topic, partition, firstOffset: offset(this.#first), endOffset });
  }

  failed(error: Error): void {
    this.#reject(error);
  }
}

/** Splits records, in order, so that no parcel is larger than a batch; a record is never cut. */
export function parcelsOf(
  call: AppendCall,
  records: readonly RecordToAppend[],
  limits: { readonly batchBytesMax: number; readonly batchRecordsMax: number },
): Parcel[] {
  const parcels: Parcel[] = [];
  let from = 0;
  let bytes = 0;
  const close = (to: number): void => {
    if (to > from) parcels.push({ records: records.slice(from, to), bytes, call });
    from = to;
    bytes = 0;
  };
  records.forEach((record, index) => {
    const size = recordBytes(record);
    const full = bytes + size > limits.batchBytesMax || index - from >= limits.batchRecordsMax;
    if (full) close(index);
    bytes += size;
  });
  close(records.length);
  return parcels;
}

/** Lengths, deltas and counts of a record take no more; each header has two lengths. */
const recordOverheadBytes = 32;
const headerOverheadBytes = 10;

/** About how many bytes a record takes, and not less. */
function recordBytes({ key, value, headers }: RecordToAppend): number {
  let bytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) {
    // A character takes at most three bytes of UTF-8.
    bytes += headerOverheadBytes + header.name.length * 3 + (header.value?.length ?? 0);
  }
  return bytes;
}

/** About how many bytes some records take. */
export const recordsBytes = (records: readonly RecordToAppend[]): number =>
  records.reduce((sum, record) => sum + recordBytes(record), 0);
