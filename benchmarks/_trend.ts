/** A value at a time; the times' unit is the trend's too. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

/** How fast values change, by unit of time. */
export interface Trend {
  readonly slope: number;
  /** Between these it lies with 95 % confidence; infinite for too few points. */
  readonly low: number;
  readonly high: number;
}

/** Of the normal distribution, for 95 % on both sides. */
const quantile = 1.96;

/**
 * The median of the slopes between all pairs of points (Theil and Sen), which a few strange points
 * can't move, with the interval of its rank (Sen, "Estimates of the regression coefficient based on
 * Kendall's tau", 1968). The points' errors must not depend on each other: of memory, take one point
 * for each of many garbage collections. @throws RangeError for fewer than two times.
 */
export function trendOf(points: readonly Point[]): Trend {
  const slopes = slopesOf(points).sort((one, other) => one - other);
  const count = slopes.length;
  if (count === 0) throw new RangeError("A trend needs points at two times or more.");
  const n = points.length;
  const spread = quantile * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const below = Math.floor((count - spread) / 2) - 1;
  const above = Math.ceil((count + spread) / 2);
  return {
    slope: middleOf(slopes),
    low: slopes[below] ?? -Infinity,
    high: slopes[above] ?? Infinity,
  };
}

function slopesOf(points: readonly Point[]): number[] {
  const slopes: number[] = [];
  for (const [index, one] of points.entries()) {
    for (const other of points.slice(index + 1)) {
      if (other.at !== one.at) slopes.push((other.value - one.value) / (other.at - one.at));
    }
  }
  return slopes;
}

function middleOf(sorted: readonly number[]): number {
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
