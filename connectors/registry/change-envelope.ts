import type { AvroRecordSchema } from "../../engine/topic.ts";

/**
 * What is read of Debezium's envelope around a row, as an Avro schema: a reader's. The rest of the
 * envelope is passed over, nanoseconds among it, which no number holds. Records match by their short
 * names, so this reads every table's envelope; the row's is `Value` there, however the reader calls
 * it.
 */
export function changeEnvelope(row: AvroRecordSchema): Readonly<Record<string, unknown>> {
  const value = { ...row, name: "Value", namespace: "row" };
  const source = {
    type: "record",
    name: "Source",
    fields: [
      { name: "ts_ms", type: "long" },
      { name: "snapshot", type: ["string", "null"], default: "false" },
      { name: "sequence", type: ["null", "string"], default: null },
    ],
  };
  const transaction = {
    type: "record",
    name: "block",
    namespace: "event",
    fields: [
      { name: "id", type: "string" },
      { name: "total_order", type: "long" },
    ],
  };
  return {
    type: "record",
    name: "Envelope",
    fields: [
      { name: "before", type: ["null", value], default: null },
      { name: "after", type: ["null", "row.Value"], default: null },
      { name: "source", type: source },
      { name: "transaction", type: ["null", transaction], default: null },
      { name: "op", type: "string" },
    ],
  };
}
