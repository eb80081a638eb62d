import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { projectRoot } from "../support/source-tree.ts";

interface Service {
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
}

const stack = join(projectRoot, "stack");
const compose = parse(readFileSync(join(stack, "compose.yaml"), "utf8"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
};

test("Prometheus and Grafana start with their profile alone", () => {
  for (const name of ["prometheus", "grafana"]) {
    expect(compose.services[name]?.profiles).toEqual(["observability"]);
  }
});

test("what is mounted is there", () => {
  const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
  expect(mounted.length).toBeGreaterThan(5);
  for (const [from = ""] of mounted.map((one) => one.split(":"))) {
    const isThere = from.startsWith(".") ? existsSync(join(stack, from)) : from in compose.volumes;
    expect({ from, isThere }).toEqual({ from, isThere: true });
  }
});

test("Prometheus reads the alerts, and scrapes under the name that they know", () => {
  const config = parse(readFileSync(join(stack, "prometheus/prometheus.yaml"), "utf8")) as {
    rule_files: string[];
    scrape_configs: { job_name: string }[];
  };
  expect(config.rule_files).toEqual(["/etc/prometheus/alerts.yaml"]);
  expect(config.scrape_configs.map((one) => one.job_name)).toEqual(["refold"]);
});
