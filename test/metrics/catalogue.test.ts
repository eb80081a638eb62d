import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { catalogue } from "../../connectors/prometheus/index.ts";
import { listedFiles, projectRoot } from "../support/source-tree.ts";
import { metricsDocument, nameFault } from "./metrics-document.ts";

const folders = /^(engine|connectors|api|bin|processors|projections)\//;

/** Names that the sources tell, where they are written out as the metrics port takes them. */
function toldInSources(): Set<string> {
  const told = new Set<string>();
  for (const path of listedFiles("*.ts").filter((path) => folders.test(path))) {
    const text = readFileSync(join(projectRoot, path), "utf8");
    const calls = /[mM]etrics\s*\??\.(?:count|gauge|observe|drop)\(\s*"([a-z_]+)"/g;
    for (const [, name = ""] of text.matchAll(calls)) told.add(name);
  }
  return told;
}

test("the page on metrics says what the catalogue says", async () => {
  await expect(await metricsDocument()).toMatchFileSnapshot(join(projectRoot, "docs/metrics.md"));
});

test("the sources tell the catalogue's metrics, and no others", () => {
  expect([...toldInSources()].sort()).toEqual(Object.keys(catalogue).sort());
});

test("names follow the conventions on units and kinds", () => {
  const faults = Object.entries(catalogue).flatMap(([name, one]) => nameFault(name, one) ?? []);
  expect(faults).toEqual([]);
});
