import { FatalError } from "../errors.ts";

/** Bytes that are no sound record batch: nothing after them can be told, so reading ends here. */
export class CorruptBatchError extends FatalError {
  constructor(what: string, at: { readonly baseOffset: number; readonly byte: number }) {
    super(
      "batch-corrupt",
      `The record batch with base offset ${at.baseOffset} is damaged at byte ${at.byte}: ${what}.`,
      "Restore the log from a backup, or append its events again from the event store.",
    );
  }
}

/** A sound batch that uses what this reader doesn't support. */
export class UnsupportedBatchError extends FatalError {
  constructor(what: string, baseOffset: number) {
    super(
      "batch-unsupported",
      `The record batch with base offset ${baseOffset} has ${what}.`,
      "Decompress or convert it before it is given to the cursor.",
    );
  }
}
