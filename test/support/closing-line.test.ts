import { expect, test } from "vitest";

import { vitestRun } from "./vitest-run.ts";

test("what fails outside of tests is counted and told again: hooks of suites, and what nobody handles", async () => {
  const text = `
    import { afterAll, describe, test } from "vitest";
    describe("a suite", () => {
      afterAll(() => { throw new Error("the hook's own"); });
      test("passes", () => undefined);
      test("leaves something behind", () => void Promise.reject(new Error("left alone")));
    });
  `;
  const { code, out } = await vitestRun({ text, reporter: "closing-line.ts" });
  expect(code).toBe(1);
  const [, told = ""] = out.split(/^(?=failed: )/m);
  expect(told).toMatch(/^failed: \S+one\.test\.ts, suite a suite, outside of its tests\n/);
  expect(out).toContain("Error: the hook's own");
  expect(out).toMatch(/^failed: not handled by any test\nError: left alone/m);
  expect(out.trimEnd().split("\n").at(-1)).toBe("2 passed, 2 failed");
}, 30_000);
