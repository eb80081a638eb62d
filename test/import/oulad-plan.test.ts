import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { readOuladFiles, type FileRow } from "../../bin/import/oulad-files.ts";
import { planImport } from "../../bin/import/oulad-plan.ts";
import { hasRealFiles, realFolder, writeSample } from "./sample.ts";

const course = (code: string): FileRow => {
  const [module = "", presentation = ""] = code.split("-");
  return { line: 2, columns: { code_module: module, code_presentation: presentation } };
};

let line = 1;
const registration = (code: string, student: string, days: [string, string]): FileRow => {
  const [module = "", presentation = ""] = code.split("-");
  return {
    line: (line += 1),
    columns: {
      code_module: module,
      code_presentation: presentation,
      id_student: student,
      date_registration: days[0],
      date_unregistration: days[1],
    },
  };
};

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "refold-import-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const iso = (ms: number): string => new Date(ms).toISOString();

test("orders steps by event time, registrations at 09:00 and withdrawals at 17:00", () => {
  const plan = planImport({
    courses: [course("AAA-2013J"), course("BBB-2014B")],
    registrations: [
      registration("BBB-2014B", "1", ["-10", "0"]),
      registration("AAA-2013J", "2", ["5", ""]),
      registration("AAA-2013J", "3", ["-1", "5"]),
    ],
  });
  expect(plan.groups.map((group) => [iso(group.timeMs), group.steps.map((s) => s.kind)])).toEqual([
    ["2013-09-30T09:00:00.000Z", ["register"]],
    ["2013-10-06T09:00:00.000Z", ["register"]],
    ["2013-10-06T17:00:00.000Z", ["withdraw"]],
    ["2014-01-22T09:00:00.000Z", ["register"]],
    ["2014-02-01T17:00:00.000Z", ["withdraw"]],
  ]);
  expect(iso(plan.offeredAtMs)).toBe("2013-09-29T09:00:00.000Z");
});

test("gives each module as many seats as it has rows, usable or not, or those that are asked", () => {
  const files = {
    courses: [course("AAA-2013J"), course("CCC-2014B")],
    registrations: [
      registration("AAA-2013J", "1", ["0", ""]),
      registration("AAA-2013J", "2", ["", ""]),
    ],
  };
  expect(planImport(files).modules.map((module) => module.capacity)).toEqual([2, 0]);
  const asked = planImport(files, { capacity: 7 });
  expect(asked.modules.map((module) => module.capacity)).toEqual([7, 7]);
});

test("reports every row that it leaves out with its line and reason", () => {
  line = 1;
  const plan = planImport({
    courses: [course("AAA-2013J")],
    registrations: [
      registration("AAA-2013J", "1", ["0", ""]),
      registration("AAA-2013J", "2", ["", "4"]),
      registration("AAA-2013J", "1", ["3", ""]),
      registration("AAA-2013J", "3", ["soon", ""]),
      registration("AAA-2013J", "4", ["5", "4"]),
      registration("ZZZ-2013J", "5", ["5", ""]),
      registration("AAA-13J", "6", ["5", ""]),
      registration("AAA-2013J", "", ["5", ""]),
      registration("AAA-2013J", "7", ["5", "x"]),
    ],
  });
  expect(plan.registrations).toBe(1);
  expect(plan.unusable).toEqual([
    { line: 3, reason: "it has no registration date" },
    { line: 4, reason: "an earlier line has this student in this module" },
    { line: 5, reason: "its registration date is no whole number of days" },
    { line: 6, reason: "it is withdrawn before registered" },
    { line: 7, reason: "ZZZ-2013J is not among the courses" },
    { line: 8, reason: "AAA-13J names no presentation like 2013B or 2014J" },
    { line: 9, reason: "it names no student" },
    { line: 10, reason: "its withdrawal date is no whole number of days" },
  ]);
});

test("a file's rows keep their line numbers", async () => {
  const folder = await temporaryFolder();
  await writeSample(folder, { modules: ["AAA-2013J"], studentsPerModule: 20 });
  const plan = planImport(await readOuladFiles(folder));
  expect(plan.unusable).toEqual([{ line: 18, reason: "it has no registration date" }]);
  expect(plan.registrations).toBe(19);
});

test("names the file and the column that is missing", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "courses.csv"), "code_module,length\nAAA,3\n");
  await expect(readOuladFiles(folder)).rejects.toThrow(
    /courses\.csv .*no column code_presentation/,
  );
});

test("says which file is not there", async () => {
  await expect(readOuladFiles("/nowhere")).rejects.toMatchObject({
    exit: "nothingThere",
    message: expect.stringContaining("/nowhere/courses.csv"),
  });
});

test("a broken file is refused by name", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "courses.csv"), '"code_module","b"\n"AAA\n');
  await expect(readOuladFiles(folder)).rejects.toMatchObject({ exit: "usage" });
});

test("the whole dataset (or the sample) has the counts that its description states", async () => {
  const folder = hasRealFiles ? realFolder : await temporaryFolder();
  if (!hasRealFiles) await writeSample(folder, { modules: ["AAA-2013J"], studentsPerModule: 34 });
  const plan = planImport(await readOuladFiles(folder));
  const counts = [plan.registrations, plan.withdrawals, plan.unusable.length, plan.modules.length];
  expect(counts).toEqual(hasRealFiles ? [32_548, 10_033, 45, 22] : [32, 11, 2, 1]);
});
