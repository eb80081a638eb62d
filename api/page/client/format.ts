const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** What isn't known is never shown as 0. */
export const unknown = "unknown";

export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? unknown : whole.format(value);

/** A rate: small ones with a decimal. */
export const rate = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return unknown;
  return value < 10 ? tenths.format(value) : whole.format(value);
};

export const duration = (ms: number | null | undefined): string => {
  if (ms === null || ms === undefined) return unknown;
  if (ms < 1_000) return `${whole.format(ms)} ms`;
  if (ms < 60_000) return `${tenths.format(ms / 1_000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${whole.format((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${whole.format(n)} ${n === 1 ? one : many}`;

export const money = (cents: number): string => (cents === 0 ? "free" : (cents / 100).toFixed(2));

/** A time of today, or with its day. */
export function time(iso: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}
