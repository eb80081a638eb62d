import { unrepresentable } from "./converter.ts";

const dayUs = 86_400_000_000;

/** A moment as Postgres writes it: `2024-02-29 12:34:56.789+00`, `0044-03-15 BC`. */
export interface Moment {
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

export function parseTime(text: string, type: string): { timeUs: number; offsetSeconds: number } {
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

export function parseMoment(text: string, type: string): Moment {
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

/** Microseconds since 1970 (UTC). */
export function microseconds(moment: Moment): bigint {
  const days = BigInt(daysFromCivil(moment)) * BigInt(dayUs);
  return days + BigInt(moment.timeUs) - BigInt(moment.offsetSeconds) * 1_000_000n;
}

/** Years beyond four digits carry a sign (ISO 8601 as Java's formatter has it). */
export function isoYear(year: number): string {
  const digits = `${Math.abs(year)}`.padStart(4, "0");
  if (year < 0) return `-${digits}`;
  return year > 9999 ? `+${digits}` : digits;
}

const two = (value: number): string => `${Math.floor(value)}`.padStart(2, "0");

export function isoDay({ year, month, day }: Moment): string {
  return `${isoYear(year)}-${two(month)}-${two(day)}`;
}

/** A time of day in ISO 8601, without the zeros at the end of its fraction. */
export function isoClock(timeUs: number): string {
  const seconds = Math.floor(timeUs / 1_000_000);
  const clock = `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = micro(timeUs).replace(/0+$/, "");
  return fraction === "" ? clock : `${clock}.${fraction}`;
}

/** The six digits of the microseconds in a second. */
export function micro(timeUs: number): string {
  return `${timeUs % 1_000_000}`.padStart(6, "0");
}

/** The same time of day in UTC. */
export function utcClock(timeUs: number, offsetSeconds: number): number {
  return (((timeUs - offsetSeconds * 1_000_000) % dayUs) + dayUs) % dayUs;
}

/** How infinite timestamps are told as numbers, in microseconds: Debezium's numbers for them. */
export const infinityUs: Readonly<Record<string, bigint>> = {
  infinity: 9_223_372_036_825_200_000n,
  "-infinity": -9_223_372_036_832_400_000n,
};
