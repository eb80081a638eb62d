import type { RecordToAppend } from "../engine/ports/record-log.ts";

/** Of every record alike: what readers check of them is that they don't change. */
const envelope = [
  ["ce_incarnation", "b2f6d4c0-7425-4a7e-9c7e-4b1f0f6f6a11-1"],
  ["ce_id", "0190d6a1-6f3c-7000-8000-000000000000"],
].map(([name = "", value = ""]) => ({ name, value: Buffer.from(value) }));

/** Records of events with the envelope that the capture writes, their sequences without gaps. */
export class LaneRecords {
  readonly #sequences: number[];
  #made = 0;

  constructor(partitions: number) {
    this.#sequences = Array.from({ length: partitions }, () => 0);
  }

  /** The partition's next record, a millisecond later than the last of any. */
  next(partition: number, key: string, value: Uint8Array): RecordToAppend {
    const sequence = (this.#sequences[partition] as number) + 1;
    this.#sequences[partition] = sequence;
    this.#made += 1;
    return {
      timestampMs: 1_700_000_000_000 + this.#made,
      key: Buffer.from(key),
      value,
      headers: [{ name: "ce_sequence", value: Buffer.from(String(sequence)) }, ...envelope],
    };
  }
}
