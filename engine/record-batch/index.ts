export { CorruptBatchError, UnsupportedBatchError } from "./corrupt-batch.ts";
export { RecordCursor, type RecordCursorOptions } from "./cursor.ts";
export { batchLayout } from "./format.ts";
export { type BatchProducer, encodeRecordBatch, RecordBatchWriter } from "./writer.ts";
