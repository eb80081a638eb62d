import type { AvroWriter } from "../avro-writer.ts";
import { connectType, unrepresentable, type Converter } from "./converter.ts";

const dayUs = 86_400_000_000;
const space = 0x20;
const hyphen = 0x2d;

/** A moment as Postgres writes it: `2024-02-29 12:34:56.789+00`, `0044-03-15 BC`. */
interface Moment {
  /** Astronomical: the year 1 BC is 0. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly timeUs: number;
  readonly offsetSeconds: number;
}

const dateShape = /^(\d+)-(\d\d)-(\d\d)(?: (\d.*?))?( BC)?$/;
const timeShape =
  /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?$/;

function parseTime(text: string, type: string): { timeUs: number; offsetSeconds: number } {
  const match = timeShape.exec(text);
  if (!match) throw unrepresentable(text, type);
  const [, hours, minutes, seconds = "0", fraction = "", sign, ...offset] = match;
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const [offsetHours = 0, offsetMinutes = 0, offsetRest = 0] = offset.map((part) =>
    Number(part ?? 0),
  );
  const offsetSeconds = offsetHours * 3600 + offsetMinutes * 60 + offsetRest;
  return {
    timeUs: whole * 1_000_000 + Number(fraction.padEnd(6, "0")),
    offsetSeconds: sign === "-" ? -offsetSeconds : offsetSeconds,
  };
}

function parseMoment(text: string, type: string): Moment {
  const match = dateShape.exec(text);
  if (!match) throw unrepresentable(text, type);
  const [, year, month, day, time = "00:00", bc] = match;
  return {
    year: bc ? 1 - Number(year) : Number(year),
    month: Number(month),
    day: Number(day),
    ...parseTime(time, type),
  };
}

/**
 * Days from 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, days_from_civil:
 * https://howardhinnant.github.io/date_algorithms.html).
 */
export function daysFromCivil(date: { year: number; month: number; day: number }): number {
  const year = date.month <= 2 ? date.year - 1 : date.year;
  const era = Math.floor(year / 400);
  const yearOfEra = year - era * 400;
  const monthFromMarch = (date.month + 9) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + date.day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function microseconds(moment: Moment): bigint {
  const days = BigInt(daysFromCivil(moment)) * BigInt(dayUs);
  return days + BigInt(moment.timeUs) - BigInt(moment.offsetSeconds) * 1_000_000n;
}

const slice = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString("latin1", start, end);

/** A converter whose value is one whole number; `zero` is the text that counts nothing. */
function counted(
  schema: Converter["schema"],
  zero: string,
  count: (text: string) => number | bigint,
): Converter {
  return {
    schema,
    write: (to, bytes, start, end) => writeCount(to, count(slice(bytes, start, end))),
    writeFallback: (to) => to.long(0),
    defaultOf: (literal = zero) => ({ json: Number(count(literal)), text: literal }),
  };
}

function writeCount(to: AvroWriter, value: number | bigint): void {
  if (typeof value === "number") to.long(value);
  else if (value >= -0x8000000000000n && value <= 0x8000000000000n) to.long(Number(value));
  else to.bigLong(value);
}

export const date = counted(connectType("int", "io.debezium.time.Date"), "1970-01-01", (text) =>
  daysFromCivil(parseMoment(text, "date")),
);

const clockUs = (text: string): number => parseTime(text, "time").timeUs;

export function time(digits: number): Converter {
  return digits <= 3
    ? counted(connectType("int", "io.debezium.time.Time"), "00:00", (text) =>
        Math.floor(clockUs(text) / 1000),
      )
    : counted(connectType("long", "io.debezium.time.MicroTime"), "00:00", clockUs);
}

const momentUs = (text: string): bigint => microseconds(parseMoment(text, "timestamp"));

/** Without a zone: taken as UTC. */
export function timestamp(digits: number): Converter {
  return digits <= 3
    ? counted(
        connectType("long", "io.debezium.time.Timestamp"),
        "1970-01-01",
        (text) => momentUs(text) / 1000n,
      )
    : counted(connectType("long", "io.debezium.time.MicroTimestamp"), "1970-01-01", momentUs);
}

/** With a zone: ISO 8601 in UTC, with as many decimals as the column has. */
export function zonedTimestamp(digits: number): Converter {
  const write = (text: string): string => isoText(text, digits);
  return {
    schema: connectType("string", "io.debezium.time.ZonedTimestamp"),
    write: (to, bytes, start, end) => to.string(write(slice(bytes, start, end))),
    writeFallback: (to) => to.string("1970-01-01T00:00:00Z"),
    defaultOf: (literal = "1970-01-01 00:00:00+00") => ({ json: write(literal), text: literal }),
  };
}

/** The session's zone is UTC, so only the form changes. */
function isoText(text: string, digits: number): string {
  // Years of four digits, which is nearly always: the parts stand at fixed places.
  if (text.charCodeAt(10) === space && text.charCodeAt(4) === hyphen && text.endsWith("+00")) {
    const decimals = digits === 0 ? "" : (text.slice(19, -3) || ".").padEnd(digits + 1, "0");
    return `${text.slice(0, 10)}T${text.slice(11, 19)}${decimals}Z`;
  }
  const moment = parseMoment(text, "timestamp with time zone");
  const stop = text.indexOf(" ");
  const clock = text.slice(stop + 1, stop + 9);
  const fraction = digits === 0 ? "" : `.${micro(moment.timeUs).slice(0, digits)}`;
  return `${isoYear(moment.year)}${text.slice(stop - 6, stop)}T${clock}${fraction}Z`;
}

function micro(timeUs: number): string {
  return `${timeUs % 1_000_000}`.padStart(6, "0");
}

/** Years beyond four digits carry a sign (ISO 8601 as Java's formatter has it). */
function isoYear(year: number): string {
  const digits = `${Math.abs(year)}`.padStart(4, "0");
  if (year < 0) return `-${digits}`;
  return year > 9999 ? `+${digits}` : digits;
}

/** A time of day with a zone, brought to UTC. */
export const zonedTime: Converter = {
  schema: connectType("string", "io.debezium.time.ZonedTime"),
  write: (to, bytes, start, end) => to.string(utcClock(slice(bytes, start, end))),
  writeFallback: (to) => to.string("00:00:00Z"),
};

function utcClock(text: string): string {
  const { timeUs, offsetSeconds } = parseTime(text, "time with time zone");
  const utc = (((timeUs - offsetSeconds * 1_000_000) % dayUs) + dayUs) % dayUs;
  const two = (value: number): string => `${Math.floor(value)}`.padStart(2, "0");
  const seconds = Math.floor(utc / 1_000_000);
  const clock = `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = micro(utc).replace(/0+$/, "");
  return fraction === "" ? `${clock}Z` : `${clock}.${fraction}Z`;
}

const intervalPart = /([+-]?\d+) (year|mon|day)s?/g;
const intervalClock = /([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;
/** A month counts 30.4375 days, and so a whole number of microseconds. */
const unitUs: Readonly<Record<string, number>> = {
  year: 12 * 30.4375 * dayUs,
  mon: 30.4375 * dayUs,
  day: dayUs,
};

export const interval = counted(
  connectType("long", "io.debezium.time.MicroDuration"),
  "00:00:00",
  (text) => {
    let sum = 0n;
    for (const [, count = "0", unit = ""] of text.matchAll(intervalPart)) {
      sum += BigInt(count) * BigInt(unitUs[unit] ?? 0);
    }
    return sum + clockOfInterval(text);
  },
);

function clockOfInterval(text: string): bigint {
  const match = intervalClock.exec(text);
  if (!match) return 0n;
  const [, sign, hours = "0", minutes = "0", seconds = "0", fraction = ""] = match;
  const whole = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds);
  const us = whole * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
  return sign === "-" ? -us : us;
}
