import { connectType, type Converter } from "./converter.ts";
import { counted, rewritten } from "./counted.ts";
import type { ValueModes } from "./value-modes.ts";

/** An interval's parts; all of the clock's have its sign. */
interface Interval {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly microseconds: number;
}

const daysOfMonth = 30.4375;

const partShape = /([+-]?\d+) (year|mon|day)s?/g;
const clockShape = /([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;

function parseInterval(text: string): Interval {
  const parts = { year: 0, mon: 0, day: 0 };
  for (const [, count = "0", unit = ""] of text.matchAll(partShape)) {
    parts[unit as keyof typeof parts] = Number(count);
  }
  const [, sign, ...clock] = clockShape.exec(text) ?? [];
  const [hours = "0", minutes = "0", seconds = "0", fraction = ""] = clock;
  // Zero has no sign, unlike a double's.
  const signed = (digits: string): number => Number(`${sign ?? ""}${digits}`) + 0;
  return {
    years: parts.year,
    months: parts.mon,
    days: parts.day,
    hours: signed(hours),
    minutes: signed(minutes),
    seconds: signed(seconds),
    microseconds: signed(fraction.padEnd(6, "0")),
  };
}

/**
 * Microseconds, a month counting 30.4375 days. Reckoned in doubles, in Debezium's order: what is
 * beyond them differs from the exact sum by microseconds.
 */
function durationUs(interval: Interval): bigint {
  const months = interval.years * 12 + interval.months;
  const days = months * daysOfMonth + interval.days;
  const seconds = interval.seconds + interval.microseconds / 1_000_000;
  const sum = ((days * 24 + interval.hours) * 60 + interval.minutes) * 60 + seconds;
  return BigInt(Math.trunc(sum * 1_000_000));
}

/** ISO 8601, every part told, as `P1Y2M3DT4H5M6.789012S`. */
function isoText(interval: Interval): string {
  const { years, months, days, hours, minutes } = interval;
  return `P${years}Y${months}M${days}DT${hours}H${minutes}M${secondsText(interval)}S`;
}

function secondsText({ seconds, microseconds }: Interval): string {
  const sign = seconds < 0 || microseconds < 0 ? "-" : "";
  const fraction = `${Math.abs(microseconds)}`.padStart(6, "0").replace(/0+$/, "");
  return `${sign}${Math.abs(seconds)}${fraction === "" ? "" : `.${fraction}`}`;
}

const zero = "00:00:00";

export function interval(mode: ValueModes["interval"]): Converter {
  if (mode === "numeric") {
    return counted({
      schema: connectType("long", "io.debezium.time.MicroDuration"),
      zero,
      count: (text) => durationUs(parseInterval(text)),
    });
  }
  return rewritten({
    schema: connectType("string", "io.debezium.time.Interval"),
    zero,
    fallback: "P0Y0M0DT0H0M0S",
    rewrite: (text) => isoText(parseInterval(text)),
  });
}
