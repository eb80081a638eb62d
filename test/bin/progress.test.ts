import { Writable } from "node:stream";

import { expect, test } from "vitest";

import { Progress } from "../../bin/import/progress.ts";

function screen(isTTY: boolean): { out: Writable & { isTTY: boolean }; text: () => string } {
  let text = "";
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  return { out: Object.assign(out, { isTTY }), text: () => text };
}

test("without a terminal it prints a line at most every two seconds, and the last one", () => {
  const { out, text } = screen(false);
  let nowMs = 0;
  const progress = new Progress({ out, unit: "commands", nowMs: () => nowMs });
  for (let done = 0; done <= 100; done += 10) {
    nowMs += 500;
    progress.show({ done, total: 100, at: "2013" });
  }
  progress.end();
  const lines = text().trimEnd().split("\n");
  expect(lines.map((line) => line.slice(0, 5))).toEqual(["  0 %", " 40 %", " 80 %", "100 %"]);
  expect(lines.at(-1)).toContain("100 of 100 commands, 18/s");
});

test("on a terminal it redraws one line", () => {
  const { out, text } = screen(true);
  const progress = new Progress({ out, unit: "commands", nowMs: () => 0 });
  progress.show({ done: 5, total: 10, at: "2013" });
  progress.show({ done: 10, total: 10, at: "2014" });
  progress.end();
  expect(text().split("\n")).toHaveLength(2);
  expect(text()).toContain(`${"█".repeat(15)}${"░".repeat(15)}  50 %`);
});
