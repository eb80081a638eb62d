import { describe, expect, it } from "vitest";

import { compareRuns } from "../../benchmarks/harness/compare.ts";
import { pageOf } from "../../benchmarks/harness/page.ts";
import { workloadResult } from "../../benchmarks/harness/result.ts";
import { changesText, resultText } from "../../benchmarks/harness/texts.ts";
import { rate, runOf, workload } from "./run-result.ts";

describe("a workload's result", () => {
  const only = (values: readonly number[]) => runOf(values).workloads[0];

  it("has median, minimum and maximum of the repeats", () => {
    expect(only([30, 10, 20])?.figures[0]).toMatchObject({
      samples: [30, 10, 20],
      median: 20,
      minimum: 10,
      maximum: 30,
    });
    expect(only([10, 40, 20, 30])?.figures[0]?.median).toBe(25);
  });

  it("has no figures when one repeat has failed", () => {
    const good = {
      figures: [rate(1)],
      checked: ["rows equal"],
      notes: [],
      leftOut: [],
      seconds: 1,
    };
    const bad = {
      figures: [],
      checked: [],
      notes: [],
      leftOut: [],
      seconds: 1,
      failure: "A row differs.",
    };
    const result = workloadResult(workload, {}, [good, bad]);
    expect(result.figures).toEqual([]);
    expect(resultText(result)).toContain("FAILED    A row differs.");
  });

  it("stands beside the ceiling that the figure names", () => {
    const ceiling = (name: string, value: number) =>
      ({ ...rate(value), name, role: "ceiling" }) as const;
    const figures = [{ ...rate(50), ceiling: "far" }, ceiling("near", 100), ceiling("far", 200)];
    const result = workloadResult(workload, {}, [
      { figures, checked: ["rows"], notes: [], leftOut: [], seconds: 1 },
    ]);
    expect(resultText(result)).toMatch(/fold +50 +events\/s +25 % of the ceiling/);
  });

  it("tells the figure as a share of its ceiling, and what was left out", () => {
    const text = resultText(runOf([250, 250]).workloads[0] as never);
    expect(text).toMatch(/fold +250 +events\/s .*25 % of the ceiling/);
    expect(text).toContain("left out  Kafka, because there is none");
    expect(text).toContain("checked   rows equal");
    expect(text).toContain("note      fsync=on");
    expect(text).toMatch(/^took {6}5 s$/m);
  });
});

describe("two runs", () => {
  const verdicts = (...runs: Parameters<typeof compareRuns>) =>
    Object.fromEntries(compareRuns(...runs).map(({ figure, verdict }) => [figure, verdict]));

  it("differ in a figure whose repeats lie apart, and in no other", () => {
    const changes = verdicts(runOf([1, 2, 3, 4]), runOf([11, 12, 13, 14]));
    expect(changes).toEqual({ fold: "better", walk: "within the noise" });
    const text = changesText(compareRuns(runOf([4, 2, 3, 1]), runOf([1.1, 2.1, 3.1, 4.1])));
    expect(text).toMatch(/fold .*within the noise \(chance/);
  });

  it("aren't compared where settings differ", () => {
    const after = runOf([11, 12, 13, 14], { events: 5 });
    expect(verdicts(runOf([1, 2, 3, 4], { events: 4 }), after)).toEqual({
      fold: "other settings",
      walk: "other settings",
    });
  });

  it("say which figures only one of them has", () => {
    const none = { ...runOf([1]), workloads: [] };
    expect(verdicts(none, runOf([1]))).toEqual({ fold: "not in both", walk: "not in both" });
    expect(compareRuns(none, none)).toEqual([]);
  });
});

describe("the page of a run", () => {
  const page = pageOf(runOf([250, 500], { events: 7 }));

  it("asks for nothing from elsewhere and runs no script", () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/i);
    expect(page).not.toMatch(/\ssrc=/i);
  });

  it("is made for small screens and for dark ones", () => {
    expect(page).toContain('name="viewport" content="width=device-width');
    expect(page).toContain("prefers-color-scheme: dark");
  });

  it("escapes what it shows", () => {
    expect(page).toContain("How fast is &lt;it&gt; &amp; what&#39;s &quot;beside&quot; it?");
    expect(page).not.toContain("<it>");
  });

  it("draws each figure's median against the largest of its unit", () => {
    expect(page).toMatch(/<rect class="measured" width="375\.0"/);
    expect(page).toMatch(/<rect class="ceiling" width="1000\.0"/);
    expect(page).toMatch(/<rect class="spread" x="250\.0" y="10" width="250\.0"/);
    expect(page).toContain("events=7");
  });

  it("holds figures of zero without dividing by them", () => {
    expect(pageOf(runOf([0, 0]))).not.toContain("NaN");
  });
});
