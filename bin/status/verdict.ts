/**
 * What a window of looks says of a consumer's partition, after the rules by which Burrow evaluates
 * lag (https://github.com/linkedin/Burrow/wiki/Consumer-Lag-Evaluation-Rules). They ask whether
 * there is progress and never how large a lag is.
 *
 * Burrow sees offsets as they are committed; here positions are looked at from outside, at any
 * pace, and processes say themselves whether they are at work and whether they have halted. Hence:
 *
 * 1. it has halted: `halted`;
 * 2. nobody says that he works on it: `stopped` (Burrow: no offset for longer than the window);
 * 3. a lag of 0 anywhere in the window: `ok`;
 * 4. the position stands for the whole window, and the lag doesn't fall: `stalled`. A window
 *    shorter than `stalledAfterMs` doesn't say so, because a flush takes its time;
 * 5. it moves, and was less than `keepingUpSeconds` behind anywhere in the window: `ok`. Under
 *    steady traffic some records are always on their way (Burrow has an allowed lag for it);
 * 6. otherwise: `catching up`. Whether it gets there the trend tells (Burrow warns of a lag that
 *    doesn't fall).
 *
 * A position or an end that goes back (another generation serves, the log is another one) begins
 * the window anew.
 */

/** From good to bad. */
export const verdicts = ["ok", "catching up", "stalled", "stopped", "halted"] as const;
export type Verdict = (typeof verdicts)[number];

export const trends = ["falling", "steady", "rising"] as const;
export type Trend = (typeof trends)[number];

/** One partition as it was seen from outside. */
export interface Look {
  readonly atMs: number;
  /** Of the first record that is not applied. */
  readonly position: bigint;
  /** Of the next record that the log will hold; never below the position. */
  readonly end: bigint;
  /** Recorded time from the last record applied to the log's last; undefined: not known. */
  readonly behindSeconds?: number | undefined;
  /** `none`: no process says that it works on the partition. */
  readonly worker: "working" | "halted" | "none";
}

export interface Evaluation {
  /** undefined: the looks don't tell yet. */
  readonly verdict: Verdict | undefined;
  /** Of the lag; undefined with the rest: one look has none. */
  readonly trend: Trend | undefined;
  readonly appliedPerSecond: number | undefined;
  readonly arrivedPerSecond: number | undefined;
  /** Until the lag is 0 if all goes on like this; undefined: it isn't falling, or that isn't known. */
  readonly secondsLeft: number | undefined;
}

/** A position that stands for less long may be waiting for its flush. */
export const stalledAfterMs = 5_000;

/** Who moves, and is less behind than this, keeps up. */
export const keepingUpSeconds = 1;

/** @param looks In the order of time, of one partition. */
export function evaluate(looks: readonly Look[]): Evaluation {
  const window = sinceRewind(looks);
  const last = window.at(-1);
  if (last === undefined) return unknown;
  return { ...movementOf(window), verdict: verdictOf(window, last) };
}

const unknown: Evaluation = {
  verdict: undefined,
  trend: undefined,
  appliedPerSecond: undefined,
  arrivedPerSecond: undefined,
  secondsLeft: undefined,
};

const lagOf = ({ position, end }: Look): number => Number(end - position);

/** The looks from the last step back on. */
function sinceRewind(looks: readonly Look[]): readonly Look[] {
  const begin = looks.findLastIndex((look, at) => {
    const before = looks[at - 1];
    return before !== undefined && (look.position < before.position || look.end < before.end);
  });
  return looks.slice(Math.max(0, begin));
}

function verdictOf(window: readonly Look[], last: Look): Verdict | undefined {
  if (last.worker === "halted") return "halted";
  if (last.worker === "none") return "stopped";
  if (window.some((look) => lagOf(look) === 0)) return "ok";
  const [first = last] = window;
  // The position never falls within a window, and the end doesn't either: so the lag stands or rises.
  if (last.position > first.position) return window.some(keepsUp) ? "ok" : "catching up";
  return last.atMs - first.atMs >= stalledAfterMs ? "stalled" : undefined;
}

const keepsUp = ({ behindSeconds }: Look): boolean =>
  behindSeconds !== undefined && behindSeconds < keepingUpSeconds;

type Movement = Omit<Evaluation, "verdict">;

function movementOf(window: readonly Look[]): Movement {
  const [first] = window;
  const last = window.at(-1);
  if (first === undefined || last === undefined) return unknown;
  const lag = lagOf(last);
  const seconds = (last.atMs - first.atMs) / 1_000;
  if (seconds <= 0) return { ...unknown, secondsLeft: lag === 0 ? 0 : undefined };
  const appliedPerSecond = Number(last.position - first.position) / seconds;
  const arrivedPerSecond = Number(last.end - first.end) / seconds;
  const rates = { appliedPerSecond, arrivedPerSecond };
  return { ...rates, trend: trendOf(window), secondsLeft: secondsLeft(lag, rates) };
}

function secondsLeft(
  lag: number,
  { appliedPerSecond, arrivedPerSecond }: { appliedPerSecond: number; arrivedPerSecond: number },
): number | undefined {
  if (lag === 0) return 0;
  const fallingBy = appliedPerSecond - arrivedPerSecond;
  return fallingBy > 0 ? lag / fallingBy : undefined;
}

const trendOf = (window: readonly Look[]): Trend | undefined => trendOfLags(window.map(lagOf));

/** The later half beside the earlier one: one look that is out of line doesn't turn it. */
export function trendOfLags(lags: readonly number[]): Trend | undefined {
  if (lags.length < 2) return undefined;
  const half = Math.floor(lags.length / 2);
  const before = mean(lags.slice(0, half));
  const after = mean(lags.slice(-half));
  if (after === before) return "steady";
  return after > before ? "rising" : "falling";
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
