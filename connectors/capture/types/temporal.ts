import { connectType, unrepresentable, type AvroTypeObject, type Converter } from "./converter.ts";
import { counted, rewritten } from "./counted.ts";
import {
  daysFromCivil,
  infinityUs,
  isoClock,
  isoDay,
  isoYear,
  micro,
  microseconds,
  parseMoment,
  parseTime,
  utcClock,
} from "./moment.ts";
import type { ValueModes } from "./value-modes.ts";

type TimeMode = ValueModes["time"];

const space = 0x20;
const hyphen = 0x2d;

/** Decimals up to which the adaptive modes count milliseconds. */
const millisecondDigits = 3;

/** A type of the Connect library itself, which Avro has a logical type for. */
function logicalType(type: string, name: string, logical: string): AvroTypeObject {
  const told = connectType(type, `org.apache.kafka.connect.data.${name}`);
  return { ...told, logicalType: logical };
}

const daysOf = (text: string): number => daysFromCivil(parseMoment(text, "date"));

export function date(mode: TimeMode): Converter {
  const zero = "1970-01-01";
  if (mode === "isostring") {
    return rewritten({
      schema: connectType("string", "io.debezium.time.IsoDate"),
      zero,
      fallback: "1970-01-01Z",
      rewrite: (text) => `${isoDay(parseMoment(text, "date"))}Z`,
    });
  }
  const schema =
    mode === "connect"
      ? logicalType("int", "Date", "date")
      : connectType("int", "io.debezium.time.Date");
  return counted({ schema, zero, count: daysOf });
}

const clockUs = (text: string): number => parseTime(text, "time").timeUs;
const clockMs = (text: string): number => Math.floor(clockUs(text) / 1000);
const midnight = "00:00";

export function time(mode: TimeMode, digits: number): Converter {
  if (mode === "isostring") return isoTime;
  if (mode === "connect") return connectTime;
  if (mode === "nanoseconds") return nanoTime;
  return mode === "adaptive" && digits <= millisecondDigits ? milliTime : microTime;
}

const isoTime = rewritten({
  schema: connectType("string", "io.debezium.time.IsoTime"),
  zero: midnight,
  fallback: "00:00:00Z",
  rewrite: (text) => `${isoClock(utcClock(clockUs(text), 0))}Z`,
});

const connectTime = counted({
  schema: logicalType("int", "Time", "time-millis"),
  zero: midnight,
  count: clockMs,
});

const nanoTime = counted({
  schema: connectType("long", "io.debezium.time.NanoTime"),
  zero: midnight,
  count: (text) => clockUs(text) * 1000,
});

const milliTime = counted({
  schema: connectType("int", "io.debezium.time.Time"),
  zero: midnight,
  count: clockMs,
});

const microTime = counted({
  schema: connectType("long", "io.debezium.time.MicroTime"),
  zero: midnight,
  count: clockUs,
});

const momentUs = (text: string): bigint =>
  infinityUs[text] ?? microseconds(parseMoment(text, "timestamp"));

/** Milliseconds, those before 1970 rounded down. */
function momentMs(text: string): bigint {
  const us = momentUs(text);
  return us / 1000n - (us < 0n && us % 1000n !== 0n ? 1n : 0n);
}

/** The ends of 64 bits stand for infinity. */
const infinityNs: Readonly<Record<string, bigint>> = {
  infinity: 0x7fffffffffffffffn,
  "-infinity": -0x8000000000000000n,
};

const epoch = "1970-01-01";

/** Without a zone: taken as UTC. */
export function timestamp(mode: TimeMode, digits: number): Converter {
  if (mode === "isostring") return isoTimestamp;
  if (mode === "connect") return connectTimestamp;
  if (mode === "nanoseconds") return nanoTimestamp;
  const isMilli = mode !== "microseconds" && digits <= millisecondDigits;
  return isMilli ? milliTimestamp : microTimestamp;
}

const isoTimestamp = rewritten({
  schema: connectType("string", "io.debezium.time.IsoTimestamp"),
  zero: epoch,
  fallback: "1970-01-01T00:00:00Z",
  rewrite: isoMoment,
});

const connectTimestamp = counted({
  schema: logicalType("long", "Timestamp", "timestamp-millis"),
  zero: epoch,
  count: momentMs,
});

const nanoTimestamp = counted({
  schema: connectType("long", "io.debezium.time.NanoTimestamp"),
  zero: epoch,
  count: (text) => infinityNs[text] ?? momentUs(text) * 1000n,
});

const milliTimestamp = counted({
  schema: connectType("long", "io.debezium.time.Timestamp"),
  zero: epoch,
  count: momentMs,
});

const microTimestamp = counted({
  schema: connectType("long", "io.debezium.time.MicroTimestamp"),
  zero: epoch,
  count: momentUs,
});

/** The same moments that stand for infinity in microseconds. */
const infinityIso: Readonly<Record<string, string>> = {
  infinity: "+294247-01-10T04:00:25.2Z",
  "-infinity": "-290308-12-21T19:59:27.6Z",
};

function isoMoment(text: string): string {
  const infinite = infinityIso[text];
  if (infinite !== undefined) return infinite;
  const moment = parseMoment(text, "timestamp");
  return `${isoDay(moment)}T${isoClock(moment.timeUs)}Z`;
}

/** With a zone: ISO 8601 in UTC, with as many decimals as the column has. */
export function zonedTimestamp(digits: number): Converter {
  return rewritten({
    schema: connectType("string", "io.debezium.time.ZonedTimestamp"),
    zero: "1970-01-01 00:00:00+00",
    fallback: "1970-01-01T00:00:00Z",
    rewrite: (text) => isoText(text, digits),
  });
}

/** The session's zone is UTC, so only the form changes. */
function isoText(text: string, digits: number): string {
  // Years of four digits, which is nearly always: the parts stand at fixed places.
  if (text.charCodeAt(10) === space && text.charCodeAt(4) === hyphen && text.endsWith("+00")) {
    const decimals = digits === 0 ? "" : (text.slice(19, -3) || ".").padEnd(digits + 1, "0");
    return `${text.slice(0, 10)}T${text.slice(11, 19)}${decimals}Z`;
  }
  if (text in infinityUs) return text;
  const moment = parseMoment(text, "timestamp with time zone");
  if (moment.offsetSeconds !== 0) throw unrepresentable(text, "timestamp with time zone");
  const stop = text.indexOf(" ");
  const clock = text.slice(stop + 1, stop + 9);
  const fraction = digits === 0 ? "" : `.${micro(moment.timeUs).slice(0, digits)}`;
  return `${isoYear(moment.year)}${text.slice(stop - 6, stop)}T${clock}${fraction}Z`;
}

/** A time of day with a zone, brought to UTC. */
export const zonedTime: Converter = rewritten({
  schema: connectType("string", "io.debezium.time.ZonedTime"),
  zero: "00:00:00+00",
  fallback: "00:00:00Z",
  rewrite: (text) => {
    const { timeUs, offsetSeconds } = parseTime(text, "time with time zone");
    return `${isoClock(utcClock(timeUs, offsetSeconds))}Z`;
  },
});
