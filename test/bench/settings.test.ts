import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it, onTestFinished } from "vitest";

import { workloads, workloadsNamed } from "../../benchmarks/harness/catalogue.ts";
import { savedRun, saveRun } from "../../benchmarks/harness/saved-runs.ts";
import { settingsOf } from "../../benchmarks/harness/settings.ts";
import { runOf, workload } from "./run-result.ts";

describe("settings given to a run", () => {
  const other = { ...workload, name: "catch-up" };
  const given = (...set: string[]) => settingsOf([workload, other], set);

  it("are those of the workloads where none is given", () => {
    expect(given().get(workload)).toEqual({ events: 100, into: "one" });
  });

  it("go to every workload that has them, or to the one that is named", () => {
    const values = given("events=7", "catch-up.into=both", "catch-up.events=8");
    expect(values.get(workload)).toEqual({ events: 7, into: "one" });
    expect(values.get(other)).toEqual({ events: 8, into: "both" });
  });

  it.each([
    ["events", "--set takes name=value"],
    ["evnts=1", 'No workload of this run has the setting in "evnts=1": fold has events, into'],
    ["codec.events=1", "No workload of this run has the setting"],
    ["events=0", "whole number from 1 to 1000"],
    ["events=1e3", "whole number from 1 to 1000"],
    ["into=three", "one of one, both"],
    ["toString=1", "No workload of this run has the setting"],
  ])("are refused as %s", (text, message) => {
    expect(() => given(text)).toThrow(message);
  });
});

describe("the catalogue", () => {
  it("has a program for each workload, and each name once", () => {
    for (const { program } of workloads) {
      const path = fileURLToPath(new URL(`../../benchmarks/${program}`, import.meta.url));
      expect(existsSync(path), program).toBe(true);
    }
    expect(new Set(workloads.map(({ name }) => name)).size).toBe(workloads.length);
  });

  it.each(workloads)("has the settings of $program, with its defaults", ({ program, settings }) => {
    const text = readFileSync(new URL(`../../benchmarks/${program}`, import.meta.url), "utf8");
    const options = [...text.matchAll(/(\w+): \{ type: "string", default: "(.*?)" \}/g)];
    const known = Object.fromEntries(options.map(([, name, value]) => [name, value]));
    const catalogued = Object.entries(settings).map(([name, { of }]) => [name, String(of)]);
    expect(known).toEqual(Object.fromEntries(catalogued));
  });

  it("gives the named workloads in its own order, and all for no name", () => {
    expect(workloadsNamed(["fold", "codec"]).map(({ name }) => name)).toEqual(["codec", "fold"]);
    const soak = workloads.filter(({ name }) => name === "soak");
    expect(workloadsNamed([])).toEqual(workloads.filter((one) => !soak.includes(one)));
    expect(workloadsNamed(["soak"])).toEqual(soak);
    expect(() => workloadsNamed(["fald"])).toThrow("No workload fald: there are codec, fold,");
  });
});

describe("kept runs", () => {
  const folder = async (): Promise<string> => {
    const made = await mkdtemp(join(tmpdir(), "refold-kept-"));
    onTestFinished(() => rm(made, { recursive: true }));
    return made;
  };

  it("are found by path and by name, and never overwritten", async () => {
    const at = await folder();
    const first = await saveRun(runOf([1]), at);
    const second = await saveRun(runOf([2]), at);
    expect(first).toBe(join(at, "2026-01-02-0304-abc.json"));
    expect(second).toBe(join(at, "2026-01-02-0304-abc-2.json"));
    expect(savedRun(first, at)).toEqual(runOf([1]));
    expect(savedRun("2026-01-02-0304-abc-2", at)).toEqual(runOf([2]));
  });

  it("are refused where the file is no run, or there is none", async () => {
    const at = await folder();
    await writeFile(join(at, "other.json"), "{}");
    await writeFile(join(at, "broken.json"), "{");
    expect(() => savedRun("other", at)).toThrow("holds no run");
    expect(() => savedRun("broken", at)).toThrow("holds no run");
    expect(() => savedRun("missing", at)).toThrow("There is no run missing");
    expect(() => savedRun(at, at)).toThrow("holds no run");
  });
});
