import { expect, test } from "vitest";

import { vitestRun } from "./vitest-run.ts";

test("a run in which nothing happens any more is ended, and says which file it was", async () => {
  const { code, out } = await vitestRun({
    text: `
      import { test } from "vitest";
      test("passes", () => undefined);
      test("gives nobody else a turn", () => { for (;;); });
    `,
    reporter: "stuck-run.ts",
    environment: { REFOLD_TESTS_STUCK_AFTER_MS: "2000" },
  });
  expect(code).toBe(75);
  expect(out).toMatch(/^failed: \S+one\.test\.ts: not ended after \d+ ms$/m);
  expect(out).toContain("Nothing has happened for 2000 ms: the run ends here.");
  expect(out.trimEnd().split("\n").at(-1)).toMatch(/^[01] passed, 1 failed$/);
}, 30_000);
