import { expect, onTestFinished, test } from "vitest";

import { refold, RefoldProcess } from "../e2e/refold-process.ts";

/** Twenty to thirty seconds on two processors of its own; what else runs there takes its share. */
const patienceMs = 180_000;

test(
  "a small demo survives its kill, proves every claim, and rebuilds a projection",
  async () => {
    const crowd = ["--students", "400", "--modules", "5", "--per-second", "200"];
    const demo = new RefoldProcess(["demo", ...crowd, "--hold-seconds", "4"]);
    onTestFinished(async () => {
      if (demo.isRunning) demo.child.kill("SIGTERM");
      await demo.ended;
    });
    const { code, out, err } = await demo.ended;
    expect({ code, err }, out).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/The page: http:\/\/127\.0\.0\.1:\d+\//);
    expect(out).toMatch(/SIGKILL for the server and its database: \d+ processes/);
    expect(out).toMatch(/It answers again/);
    const claims = out.split("\n").filter((line) => /^(ok|FAILS) /.test(line));
    expect(claims.length).toBeGreaterThan(10);
    expect(claims.filter((line) => line.startsWith("FAILS"))).toEqual([]);
    expect(out).toMatch(/rebuild 1 swapped: generation 2 serves/);
  },
  patienceMs,
);

test("what can't be a demo is refused before anything starts", async () => {
  const { code, err } = await refold(["demo", "--students", "many"]);
  expect(code).toBe(2);
  expect(err).toMatch(/whole number/);
});
