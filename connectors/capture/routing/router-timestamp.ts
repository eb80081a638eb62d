import { FatalError } from "../../../engine/errors.ts";
import type { Tuple } from "../pgoutput/tuple.ts";
import type { AvroType } from "../types/converter.ts";
import { connectText } from "./connect-text.ts";
import type { RouterColumns } from "./router-columns.ts";
import { base } from "./side.ts";

/** Units in a millisecond, by the types that a timestamp column may have. */
const perMs: Readonly<Record<string, bigint>> = {
  "io.debezium.time.Timestamp": 1n,
  "io.debezium.time.MicroTimestamp": 1_000n,
  "io.debezium.time.NanoTimestamp": 1_000_000n,
};

/**
 * The time of an event, in milliseconds since 1970 (UTC), where a column has it.
 *
 * @throws FatalError `outbox-timestamp` where the column is no timestamp without time zone.
 */
export function eventTimestampMs(columns: RouterColumns, row: Tuple): number | undefined {
  const { timestamp } = columns;
  if (!timestamp) return undefined;
  const units = perMs[connectName(timestamp.type)];
  if (units === undefined) throw unsupported(timestamp.column.name);
  const text = connectText(timestamp.type, columns.encoded(timestamp, row), "json");
  return text === null ? undefined : Number(BigInt(text) / units);
}

function connectName(schema: AvroType): string {
  const type = base(schema);
  return typeof type === "object" && "connect.name" in type ? String(type["connect.name"]) : "";
}

function unsupported(column: string): FatalError {
  return new FatalError(
    "outbox-timestamp",
    `The column ${column}, which tells an outbox event's time, is no timestamp without time zone.`,
    "Name a column of type timestamp or timestamp(3) under time.precision.mode adaptive.",
  );
}
