import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { projectRoot } from "../support/source-tree.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

const manifest = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as Manifest;

test("every export is built from a source that is there", () => {
  const built = Object.values(manifest.exports).filter((target) => typeof target === "object");
  expect(built.length).toBeGreaterThan(0);
  for (const { default: path } of built) {
    const source = path.replace("./dist/", "").replace(/\.js$/, ".ts");
    expect(existsSync(join(projectRoot, source)), path).toBe(true);
  }
});

test("every entry of the package that the documentation names is exported", () => {
  const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: projectRoot })];
  const named = pages.flatMap((page) => {
    const text = readFileSync(join(projectRoot, page), "utf8");
    return [...text.matchAll(/["`]refold\/([a-z-]+)["`]/g)].map(([, entry]) => `./${entry}`);
  });
  expect(named).toContain("./opentelemetry");
  expect(Object.keys(manifest.exports)).toEqual(expect.arrayContaining(named));
});
