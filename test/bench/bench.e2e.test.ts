import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { RunResult } from "../../benchmarks/harness/result.ts";
import { refold, temporaryFolder } from "../e2e/refold-process.ts";

describe("refold bench", () => {
  it("measures a workload, tells nothing but JSON, and writes its page", async () => {
    const page = join(await temporaryFolder(), "pages", "fold.html");
    const args = ["bench", "fold", "--set", "events=20000", "--repeats", "2", "--json"];
    const { code, out, err } = await refold([...args, "--html", page]);
    expect(code, err).toBe(0);
    const run = JSON.parse(out) as RunResult;
    const [fold] = run.workloads;
    expect(fold).toMatchObject({ name: "fold", settings: { events: 20_000, keys: 2_000 } });
    expect(fold?.checked).toEqual(["2000 rows equal counts made without the engine"]);
    const measured = fold?.figures.find(({ name }) => name === "fold");
    expect(measured?.samples).toHaveLength(2);
    expect(measured?.minimum).toBeGreaterThan(0);
    const ceiling = fold?.figures.find(({ role }) => role === "ceiling");
    expect(ceiling?.median).toBeGreaterThan(measured?.median ?? Infinity);
    expect(await readFile(page, "utf8")).toContain("<h2>fold</h2>");
  });

  it("lists the workloads with their settings", async () => {
    const { code, out } = await refold(["bench", "list"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^fold: .*\n {2}events=500000 +events in all$/m);
    const json = await refold(["bench", "list", "--json"]);
    expect(JSON.parse(json.out)).toContainEqual(expect.objectContaining({ name: "restart" }));
  });

  it("compares two runs that were written", async () => {
    const folder = await temporaryFolder();
    const [one, other] = [join(folder, "one.json"), join(folder, "other.json")];
    const { out } = await refold(["bench", "codec", "--set", "operations=500", "--json"]);
    await writeFile(one, out);
    await writeFile(other, out);
    const compared = await refold(["bench", "compare", one, other]);
    expect(compared.code, compared.err).toBe(0);
    expect(compared.out).toMatch(/codec +encode, framed .*\+0\.0 % +too few repeats/);
  });

  it.each([
    [["fald"], 2, "No workload fald: there are codec, fold"],
    [["fold", "--set", "evnts=1"], 2, "No workload of this run has the setting"],
    [["fold", "--set", "events=none"], 2, "is a whole number from 1 to"],
    [["fold", "--html", "/dev/null/page.html"], 2, "can't be written (EEXIST"],
    [["fold", "--repeats", "0"], 2, "whole number from 1 to 100"],
    [["compare", "none", "none"], 9, "There is no run none"],
  ])("refuses %j with exit code %i", async (args, code, message) => {
    const ended = await refold(["bench", ...args]);
    expect(ended.err).toContain(message);
    expect(ended.code).toBe(code);
  });
});
