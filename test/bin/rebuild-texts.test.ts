import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mkdtemp, rm } from "node:fs/promises";

import { expect, onTestFinished, test } from "vitest";

import { differenceFiles } from "../../bin/rebuild/difference-file.ts";
import { Narrator } from "../../bin/rebuild/narrator.ts";
import { outcomeOf } from "../../bin/rebuild/outcome.ts";
import { rebuildText } from "../../bin/rebuild/record-text.ts";
import { csvHeader, csvRow } from "../../bin/history/rows-text.ts";
import { buildsStatus } from "../../bin/status/builds-report.ts";
import { buildsLines } from "../../bin/status/builds-text.ts";
import { bigint, text, timestamp } from "../../engine/columns.ts";
import type { RebuildProof, RebuildRecord } from "../../engine/ports/rebuilds.ts";

const proof: RebuildProof = {
  positions: [],
  provedAtMs: 5,
  heldMs: 12,
  liveRows: 2,
  shadowRows: 3,
  liveDigest: "aa",
  shadowDigest: "bb",
  bucketsDiffering: [7],
  added: 1,
  removed: 0,
  changed: 1,
  addedSamples: ["K9"],
  removedSamples: [],
  fields: [{ field: "held", rows: 1, samples: [{ key: "K1", live: "5", shadow: "0" }] }],
  recount: "equal",
  redis: "none",
  snapshot: undefined,
  liveVersion: 1,
  shadowVersion: 1,
  codeVersion: "1.0.0",
  file: "rows.jsonl",
};

const recordOf = (over: Partial<RebuildRecord>): RebuildRecord => ({
  id: 4n,
  request: {
    projection: "seats",
    version: 1,
    from: { kind: "earliest" },
    accept: false,
    lagBudgetMs: 2_000,
    keepMs: 1_000,
    by: "me",
    reason: "why not",
  },
  state: "filling",
  wish: "run",
  base: 1,
  shadow: 2,
  plan: undefined,
  progress: undefined,
  proof: undefined,
  failure: undefined,
  swapHeldMs: undefined,
  conductor: "here:1",
  createdAtMs: 0,
  changedAtMs: 0,
  undoUntilMs: undefined,
  ...over,
});

const progressOf = (done: number) => ({
  done,
  total: 200,
  recordsPerSecond: 50,
  liveLagMs: 3,
  liveLagMaxMs: 9,
  throttledMs: 0,
});

function narrated(isTTY: boolean, records: readonly RebuildRecord[]): string {
  let out = "";
  let nowMs = 0;
  const write = (chunk: string | Uint8Array): boolean => {
    out += String(chunk);
    return true;
  };
  const narrator = new Narrator({ out: { write, isTTY }, nowMs: () => nowMs });
  for (const record of records) {
    narrator.tell(record);
    nowMs += 500;
  }
  narrator.close();
  return out;
}

test("progress is one line that is written over on a terminal, and a line now and then elsewhere", () => {
  const records = [10, 50, 90, 130, 170, 190].map((done) =>
    recordOf({ progress: progressOf(done) }),
  );
  const terminal = narrated(true, records);
  expect(terminal.split("\n")).toHaveLength(3);
  expect(terminal).toContain("\r\u001b[2K95 %, 190 of 200 events, 50/s, 0.2 s left, live lag 3 ms");
  const lines = narrated(false, records).trimEnd().split("\n");
  expect(lines).toEqual([
    "rebuild 4 filling: generation 2 beside generation 1",
    "5 %, 10 of 200 events, 50/s, 3.8 s left, live lag 3 ms (most 9)",
    "85 %, 170 of 200 events, 50/s, 0.6 s left, live lag 3 ms (most 9)",
  ]);
});

test("each state and proof is told once", () => {
  const proved = recordOf({ state: "proved", proof });
  const out = narrated(false, [proved, proved, recordOf({ state: "abandoned", proof })]);
  expect(out.match(/rebuild 4 proved/g)).toHaveLength(1);
  expect(out.match(/1 rows added, 0 removed, 1 changed/g)).toHaveLength(1);
  expect(out).toContain("    K1: 5 -> 0\n");
  expect(out).toContain("  only rebuilt (1): K9\n");
});

test("a rebuild is as fast as its conductor fills it: not at all when that has died, or all is filled", () => {
  const progress = progressOf(150);
  const statusOf = (over: Partial<RebuildRecord>) =>
    buildsStatus({ rebuilds: [recordOf({ progress, ...over })] }).rebuilds[0];
  expect(statusOf({})).toMatchObject({ recordsPerSecond: 50, secondsLeft: 1 });
  for (const over of [{ conductor: undefined }, { state: "proving" as const }]) {
    expect(statusOf(over)).toMatchObject({ done: 150, recordsPerSecond: 0, secondsLeft: null });
  }
});

test("the exit code tells whether a rebuild came to what was wanted", () => {
  const swapped = recordOf({ state: "swapped", undoUntilMs: 0 });
  expect(outcomeOf(swapped, ["swapped"], true)).toMatchObject({ exitCode: 0 });
  expect(outcomeOf(swapped, ["undone"], true)).toMatchObject({ exitCode: 1 });
  const differs = outcomeOf(recordOf({ state: "proved", proof }), ["swapped"], true);
  expect(differs.exitCode).toBe(1);
  expect(differs.text).toContain("refold rebuild resume 4 --accept");
  const failure = { code: "history-gone", message: "Retention has taken it." };
  const failed = outcomeOf(recordOf({ state: "failed", failure }), ["swapped"], true);
  expect(failed).toEqual({ exitCode: 1, text: "Rebuild 4: Retention has taken it." });
  const left = recordOf({ state: "filling" });
  expect(outcomeOf(left, ["swapped"], true).text).toContain("a running worker goes on");
  expect(outcomeOf(left, ["swapped"], false)).toMatchObject({ exitCode: 130 });
  expect(outcomeOf(left, ["swapped"], false).text).toContain("refold rebuild resume 4");
});

test("a rebuild is shown with who asked for it, why, and what it waits for", () => {
  const asked = { wish: "pause", by: "the night shift", reason: "busy", atMs: 0 } as const;
  const shown = rebuildText(recordOf({ wish: "pause", asked, progress: progressOf(10) }));
  expect(shown).toMatch(/^state +filling, paused$/m);
  expect(shown).toMatch(/^asked by +me \(why not\)$/m);
  expect(shown).toMatch(/^last wish +pause at 1970-.* by the night shift \(busy\)$/m);
});

test("all rows that differ are in a file of JSON lines; a proof without any leaves none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "refold-differences-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const open = differenceFiles(folder, () => 0);
  const none = await open(1n);
  await none.write([]);
  expect(await none.close()).toBeUndefined();
  const sink = await open(2n);
  await sink.write([{ key: "K1", live: { held: 5n }, shadow: undefined, fields: [] }]);
  await sink.write([{ key: "K2", live: { held: 1 }, shadow: { held: 2 }, fields: ["held"] }]);
  const path = (await sink.close()) ?? "";
  expect(await readFile(path, "utf8")).toBe(
    '{"key":"K1","live":{"held":5},"shadow":null,"fields":[]}\n' +
      '{"key":"K2","live":{"held":1},"shadow":{"held":2},"fields":["held"]}\n',
  );
  const given = await open(3n);
  await given.write([{ key: "K1", live: undefined, shadow: { held: 2 }, fields: [] }]);
  await given.discard();
  await expect(
    readFile(join(folder, "rebuild-3-1970-01-01T00-00-00-000Z.jsonl")),
  ).rejects.toThrow();
});

test("rows as CSV quote what would be taken apart, and tell times that can be read", () => {
  const columns = { title: text(), seats: bigint(), at: timestamp() };
  expect(csvHeader(columns)).toBe("key,title,seats,at");
  const row = { title: 'A "fine", one', seats: 12n, at: 0 };
  expect(csvRow(columns, { key: "K1", row })).toBe(
    'K1,"A ""fine"", one",12,1970-01-01T00:00:00.000Z',
  );
  expect(csvRow(columns, { key: "K2", row: { title: "", seats: null } })).toBe("K2,,,");
});

test("the status tells builds beside what serves, open rebuilds and drift, and nothing where there are none", () => {
  expect(buildsLines(buildsStatus())).toEqual([]);
  const generation = {
    projection: "seats",
    version: 1,
    columns: {},
    createdAtMs: 0,
    rebuild: undefined,
    keptUntilMs: undefined,
  };
  const serving = { ...generation, generation: 1, serving: true, role: "serving" } as const;
  const shadow = { ...generation, generation: 2, serving: false, role: "building" } as const;
  const drift = { projection: "seats", generation: 1, key: "K1", fields: [], foundAtMs: 0 };
  const lines = buildsLines(
    buildsStatus({
      generations: [serving, shadow],
      rebuilds: [recordOf({ progress: progressOf(50) })],
      drifts: [{ ...drift, kind: "extra" }],
    }),
  ).join("\n");
  expect(lines).toMatch(/seats +2 +1 +building/);
  expect(lines).toContain("rebuild 4 of seats filling, 50 of 200 events, 3.0 s left");
  expect(lines).toContain(
    "seats: rows that aren't what the log gives: K1 (extra); see refold heal",
  );
  expect(buildsLines(buildsStatus({ generations: [serving] }))).toEqual([]);
});
