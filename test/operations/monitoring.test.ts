import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { anchorOf } from "../../bin/monitoring/alert.ts";
import { alertGroups } from "../../bin/monitoring/alerts.ts";
import { alertsFile } from "../../bin/monitoring/alerts-file.ts";
import { dashboardFile } from "../../bin/monitoring/dashboard-file.ts";
import { dashboards } from "../../bin/monitoring/dashboards.ts";
import { generatedMonitoring } from "../../bin/monitoring/generated.ts";
import { expressionFaults, knownSeries } from "../../bin/monitoring/known-series.ts";
import { catalogue } from "../../connectors/prometheus/index.ts";
import { projectRoot } from "../support/source-tree.ts";

const stack = join(projectRoot, "stack");
const alerts = alertGroups.flatMap((group) => group.alerts);

test("what is checked in is what the catalogue gives; npm run generate writes it", async () => {
  for (const [path, text] of await generatedMonitoring()) {
    expect({ path, text: readFileSync(join(stack, path), "utf8") }).toEqual({ path, text });
  }
});

test("there is no dashboard that nothing generates", () => {
  const files = readdirSync(join(stack, "grafana/dashboards"));
  expect(files.sort()).toEqual(dashboards.map(({ uid }) => `${uid}.json`).sort());
});

test("every expression of an alert and of a panel uses series that are told, as they can be used", async () => {
  const known = await knownSeries();
  const rules = parse(readFileSync(join(stack, "prometheus/alerts.yaml"), "utf8")) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  const faults = rules.groups
    .flatMap((group) => group.rules)
    .flatMap(({ alert, expr }) => expressionFaults(expr, known).map((why) => `${alert}: ${why}`));
  expect(faults).toEqual([]);
  for (const [path, text] of await generatedMonitoring()) {
    if (!path.endsWith(".json")) continue;
    const found = [...text.matchAll(/"expr": (".*")/g)].map(([, json = ""]) => JSON.parse(json));
    expect(found.length).toBeGreaterThan(0);
    for (const expression of found as string[]) {
      expect({ expression, faults: expressionFaults(expression, known) }).toEqual({
        expression,
        faults: [],
      });
    }
  }
});

test("every metric of the catalogue is shown on some dashboard", async () => {
  const known = await knownSeries();
  const shown = dashboards.map((one) => dashboardFile(one, { catalogue, known })).join("\n");
  const unseen = Object.keys(catalogue).filter(
    (name) => !new RegExp(`refold_${name}(_bucket|_count)?\\b`).test(shown),
  );
  expect(unseen).toEqual([]);
});

test("every alert has its paragraph in the runbook, and every paragraph its alert", () => {
  const runbook = readFileSync(join(projectRoot, "docs/runbook.md"), "utf8");
  const headings = [...runbook.matchAll(/^### (\w+)$/gm)].map(([, name = ""]) => name);
  expect(headings.sort()).toEqual(alerts.map(({ name }) => name).sort());
  for (const { name } of alerts) {
    const [, paragraph = ""] = runbook.split(`### ${name}\n`);
    const [own = ""] = paragraph.split("\n#");
    expect({ name, looks: /\*\*Look:\*\*/.test(own) }).toEqual({ name, looks: true });
    expect({ name, does: /\*\*Do:\*\*/.test(own) }).toEqual({ name, does: true });
    expect({ name, ends: /\*\*Over:\*\*/.test(own) }).toEqual({ name, ends: true });
  }
});

test("names are one of a kind, and so are their anchors", () => {
  expect(new Set(alerts.map(anchorOf)).size).toBe(alerts.length);
});

test("the runbook names commands that there are", () => {
  const runbook = readFileSync(join(projectRoot, "docs/runbook.md"), "utf8");
  const commands = readdirSync(join(projectRoot, "bin/commands")).map((file) =>
    readFileSync(join(projectRoot, "bin/commands", file), "utf8"),
  );
  const named = [...runbook.matchAll(/`refold (\w+)/g)].map(([, name = ""]) => name);
  const known = (name: string): boolean =>
    commands.some((text) => new RegExp(`[Cc](ommand|ommand\\w+)\\("${name}"\\)`).test(text));
  expect([...new Set(named)].filter((name) => !known(name))).toEqual([]);
});

test("a metric that is renamed in the catalogue is an error of the generator", async () => {
  const known = new Map(await knownSeries());
  known.delete("refold_lag_seconds");
  expect(() => alertsFile(alertGroups, known)).toThrow(
    "RefoldConsumerStalled: nothing tells refold_lag_seconds",
  );
});
