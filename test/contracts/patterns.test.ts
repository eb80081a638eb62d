import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { commandsFor } from "../../bin/commands/catalogue.ts";
import { projectRoot } from "../support/source-tree.ts";

/** Every pattern of `docs/patterns.md` with what it names. */
const patterns = readFileSync(join(projectRoot, "docs/patterns.md"), "utf8")
  .split("\n## ")
  .slice(1)
  .map((section) => ({
    name: section.slice(0, section.indexOf("\n")),
    code: [...(/^- code: (.+)$/m.exec(section)?.[1] ?? "").matchAll(/`([^`]+)`/g)].map(first),
    tests: [...section.matchAll(/^- test: `([^`]+)` — "(.+)"$/gm)].map(([, file, name]) => ({
      file: file ?? "",
      name: name ?? "",
    })),
    command: /^- see it: `(.+)`$/m.exec(section)?.[1] ?? "",
  }));

function first([, text]: RegExpExecArray): string {
  return text ?? "";
}

const programs = (await commandsFor([])).map((command) => command.name());

describe.each(patterns)("$name", ({ code, tests, command }) => {
  test("has the code that it names", () => {
    expect(code.length).toBeGreaterThan(0);
    expect(code.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
  });

  test("has the tests that it names", () => {
    expect(tests.length).toBeGreaterThan(0);
    for (const { file, name } of tests) {
      expect(readFileSync(join(projectRoot, file), "utf8")).toContain(name);
    }
  });

  test("has the command that shows it", () => {
    const [tool, ...words] = command.split(" ");
    if (tool === "curl") return;
    expect(words[0]).toBe("refold");
    expect(programs).toContain(words[1]);
  });
});

test("every pattern that is at work has its section", () => {
  expect(patterns.length).toBeGreaterThanOrEqual(20);
});
