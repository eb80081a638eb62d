import { readFile } from "node:fs/promises";

import { expect, test } from "vitest";

import { catalogue } from "../../connectors/prometheus/catalogue.ts";

const rules = new URL("../../stack/prometheus/alerts.yaml", import.meta.url);

test("alert rules name metrics that Refold tells", async () => {
  const named = (await readFile(rules, "utf8")).match(/refold_\w+/g) ?? [];
  expect(named).toContain("refold_contract_breaches_total");
  const known = new Set(Object.keys(catalogue).map((name) => `refold_${name}`));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
