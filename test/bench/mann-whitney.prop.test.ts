import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Judged, judge } from "../../benchmarks/harness/compare.ts";
import { leastProbability, mannWhitney } from "../../benchmarks/harness/mann-whitney.ts";

/** Few distinct values, so that ties are common. */
const sample = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 });

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** All ways to choose `size` of the values' places. */
function choices(places: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return places.flatMap((place, at) =>
    choices(places.slice(at + 1), size - 1).map((rest) => [place, ...rest]),
  );
}

/** The same test by its definition: every division of the values, counted one by one. */
function byDefinition(one: readonly number[], other: readonly number[]): number {
  const all = [...one, ...other];
  const rank = (value: number): number =>
    all.filter((each) => each < value).length +
    (all.filter((each) => each === value).length + 1) / 2;
  const ranks = all.map(rank);
  const seen = sum(ranks.slice(0, one.length));
  const sums = choices([...all.keys()], one.length).map((chosen) =>
    sum(chosen.map((place) => ranks[place] as number)),
  );
  const share = (holds: (of: number) => boolean): number => sums.filter(holds).length / sums.length;
  return Math.min(
    1,
    2 *
      Math.min(
        share((of) => of <= seen),
        share((of) => of >= seen),
      ),
  );
}

describe("the chance that two samples differ so", () => {
  it("is what counting all divisions gives, with ties", () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        expect(mannWhitney(one, other)).toBeCloseTo(byDefinition(one, other), 10);
      }),
    );
  });

  it("is the same whichever sample comes first", () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        expect(mannWhitney(one, other)).toBeCloseTo(mannWhitney(other, one), 10);
      }),
    );
  });

  it("depends on the order of the values alone", () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        const stretched = (values: readonly number[]) => values.map((value) => value ** 3 + 7);
        expect(mannWhitney(stretched(one), stretched(other))).toBe(mannWhitney(one, other));
      }),
    );
  });

  it("is never below the least for samples of these sizes", () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        const least = leastProbability(one.length, other.length);
        expect(mannWhitney(one, other)).toBeGreaterThanOrEqual(least - 1e-12);
      }),
    );
  });

  it("has the values of the published tables", () => {
    expect(leastProbability(3, 3)).toBeCloseTo(2 / 20, 12);
    expect(leastProbability(4, 4)).toBeCloseTo(2 / 70, 12);
    expect(mannWhitney([1, 2, 4, 5], [3, 6, 7, 8])).toBeCloseTo(8 / 70, 12);
  });
});

describe("the verdict on a figure", () => {
  const samples = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), {
    minLength: 1,
    maxLength: 8,
  });
  const more = (of: readonly number[]): Judged => ({ samples: of, better: "more" });
  const opposite = { better: "worse", worse: "better" } as Readonly<Record<string, string>>;

  it("turns round with the order of the runs, and with what is better", () => {
    fc.assert(
      fc.property(samples, samples, (one, other) => {
        const { verdict } = judge(more(one), more(other));
        const turned = opposite[verdict] ?? verdict;
        expect(judge(more(other), more(one)).verdict).toBe(turned);
        const less = { samples: other, better: "less" } as const;
        expect(judge({ ...less, samples: one }, less).verdict).toBe(turned);
      }),
    );
  });

  it("is never a change for the same samples in another order", () => {
    fc.assert(
      fc.property(samples, (one) => {
        const { verdict } = judge(more(one), more(one.toReversed()));
        expect(["within the noise", "too few repeats"]).toContain(verdict);
      }),
    );
  });

  it("is a change where four repeats or more all lie above those before", () => {
    const four = fc.array(fc.double({ min: 1, max: 100, noNaN: true }), {
      minLength: 4,
      maxLength: 8,
    });
    fc.assert(
      fc.property(four, four, (one, other) => {
        const above = other.map((value) => value + 200);
        expect(judge(more(one), more(above)).verdict).toBe("better");
      }),
    );
  });

  it("is none where three repeats could not be told from chance, however far apart", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), (repeats) => {
        const low = Array.from({ length: repeats }, () => 1);
        const high = Array.from({ length: 3 }, () => 1_000);
        expect(judge(more(low), more(high)).verdict).toBe("too few repeats");
      }),
    );
  });

  it("takes chance for a change about as seldom as it says", () => {
    let changes = 0;
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647);
    const five = () => Array.from({ length: 5 }, random);
    for (let turn = 0; turn < 2_000; turn += 1) {
      const { verdict } = judge(more(five()), more(five()));
      if (verdict === "better" || verdict === "worse") changes += 1;
    }
    expect(changes / 2_000).toBeLessThan(0.05);
    expect(changes).toBeGreaterThan(0);
  });
});
