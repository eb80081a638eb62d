import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { defaultApiOptions } from "../../../api/index.ts";
import { problemCodes } from "../../../api/problem-codes.ts";
import { projectRoot } from "../../support/source-tree.ts";

const lines = readFileSync(join(projectRoot, "docs/http.md"), "utf8").split("\n");

/** The rows of the table with such a header: what stands in the first two columns. */
function tableOf(header: string): [string, string][] {
  const from = lines.findIndex((line) => line.startsWith(header)) + 2;
  const to = lines.findIndex((line, index) => index > from && !line.startsWith("|"));
  return lines.slice(from, to).map((line) => {
    const [, name = "", value = ""] = line.split("|").map((cell) => cell.trim());
    return [name.replaceAll("`", ""), value];
  });
}

test("docs/http.md lists every limit with its default", () => {
  const limits = Object.entries(defaultApiOptions).map(([name, value]) => [name, String(value)]);
  expect(tableOf("| limit | default |")).toEqual(limits);
});

test("docs/http.md lists every problem code with its status", () => {
  const codes = Object.entries(problemCodes).map(([code, [status]]) => [code, String(status)]);
  expect(tableOf("| code | status |")).toEqual(codes);
});
