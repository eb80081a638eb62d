import { isRecord } from "./fields.ts";

/** A transaction's id with its place, and a time, as Java's and JSON's texts of a record have them. */
const run = [
  { expression: /(\bid"?[=:]"?)\d+:\d+/g, told: "$1(a transaction)" },
  { expression: /(\bts_ms"?[=:])\d+/g, told: "$1(a time)" },
] as const;

/** What was written without Avro, without what differs between two runs; bytes stay as they are. */
export function withoutRun(told: unknown): unknown {
  if (!isRecord(told) || typeof told["text"] !== "string") return told;
  const { raw, ...rest } = told;
  const text = run.reduce(
    (before, { expression, told: mask }) => before.replace(expression, mask),
    told["text"],
  );
  return text === told["text"] ? { raw, ...rest } : { text };
}
