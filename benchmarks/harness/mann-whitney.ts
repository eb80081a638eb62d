/**
 * How probable it is, when both samples come from one distribution, that their ranks differ at least
 * as much as these do: the exact two-sided Mann-Whitney test (Mann and Whitney, 1947), with mid-ranks
 * for ties, over all ways to divide the values that were seen.
 *
 * Takes time and memory in proportion to the cube of the number of values: for some hundreds at most.
 */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  if (one.length === 0 || other.length === 0) return 1;
  const ranks = doubledRanks([...one, ...other]);
  const seen = sum(ranks.slice(0, one.length));
  const ways = waysToSum(ranks, one.length);
  const total = sum(ways);
  const below = sum(ways.slice(0, seen + 1)) / total;
  const above = sum(ways.slice(seen)) / total;
  return Math.min(1, 2 * Math.min(below, above));
}

/** The least that the test can give for samples of these sizes: when all of one lie below the other. */
export function leastProbability(one: number, other: number): number {
  const apart = (size: number, from: number) => Array.from({ length: size }, (_, at) => from + at);
  return mannWhitney(apart(one, 0), apart(other, one));
}

/** Twice the rank of each value, so that those of ties are whole numbers too. */
function doubledRanks(values: readonly number[]): number[] {
  const sorted = values.toSorted((one, other) => one - other);
  return values.map((value) => sorted.indexOf(value) + sorted.lastIndexOf(value) + 2);
}

/** By sum: how many choices of `size` ranks have it. */
function waysToSum(ranks: readonly number[], size: number): number[] {
  const most = sum(ranks);
  const none = () => Array.from({ length: most + 1 }, () => 0);
  const bySize = Array.from({ length: size + 1 }, none);
  (bySize[0] as number[])[0] = 1;
  for (const rank of ranks) {
    // Downwards, so that a rank is chosen once at most.
    for (let chosen = size; chosen >= 1; chosen -= 1) {
      const fewer = bySize[chosen - 1] as number[];
      const of = bySize[chosen] as number[];
      for (let at = rank; at <= most; at += 1) {
        of[at] = (of[at] as number) + (fewer[at - rank] as number);
      }
    }
  }
  return bySize[size] as number[];
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
