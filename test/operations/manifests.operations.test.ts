import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

import { projectRoot } from "../support/source-tree.ts";

const run = promisify(execFile);
const kubernetes = join(projectRoot, "stack/kubernetes");

function tool(name: string): string {
  const path = process.env[name];
  if (path === undefined) throw new Error(`${name} isn't set: npm run test:stack sets it.`);
  return path;
}

let work = "";
beforeAll(async () => {
  // Kustomize takes paths relative to where it builds alone.
  work = await mkdtemp(join(projectRoot, "node_modules/.refold-kustomize-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

async function rendered(folder: string): Promise<string> {
  return (await run(tool("KUSTOMIZE"), ["build", folder])).stdout;
}

/** The overlay for Kafka with all components, as somebody's own overlay would take them. */
async function withComponents(): Promise<string> {
  const from = (path: string): string => relative(work, join(kubernetes, path));
  const own = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    namespace: "refold",
    resources: [from("overlays/kafka")],
    components: [from("components/debezium"), from("components/monitoring")],
  };
  await writeFile(join(work, "kustomization.yaml"), JSON.stringify(own));
  return rendered(work);
}

const kinds = (text: string): string[] =>
  parseAllDocuments(text).map((one) => {
    const { kind, metadata } = one.toJS() as { kind: string; metadata: { name: string } };
    return `${kind} ${metadata.name}`;
  });

/** Strict: a member that the schema doesn't have is a fault, and so is a kind without a schema. */
async function faults(text: string): Promise<string> {
  const schemas = join(tool("KUBERNETES_SCHEMAS"), "{{.ResourceKind}}{{.KindSuffix}}.json");
  const child = run(tool("KUBECONFORM"), ["-strict", "-schema-location", schemas]);
  child.child.stdin?.end(text);
  try {
    return (await child).stdout;
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

test("the base is what Kubernetes' schemas allow", async () => {
  const text = await rendered(join(kubernetes, "base"));
  expect(kinds(text)).toContain("Deployment refold-capture");
  expect(await faults(text)).toBe("");
});

test("the overlay for Kafka is what the schemas of Kubernetes and KEDA allow", async () => {
  const text = await rendered(join(kubernetes, "overlays/kafka"));
  expect(kinds(text)).toContain("ScaledObject refold-workers");
  expect(await faults(text)).toBe("");
});

test("with Debezium and the Prometheus Operator nothing captures here, and all is allowed", async () => {
  const text = await withComponents();
  const found = kinds(text);
  expect(found).toContain("Job refold-connectors");
  expect(found).toContain("PodMonitor refold");
  expect(found).toContain("PrometheusRule refold");
  expect(found.filter((one) => one.includes("capture"))).toEqual([]);
  expect(await faults(text)).toBe("");
});

test("a misspelt member is refused", async () => {
  const text = (await rendered(join(kubernetes, "base"))).replaceAll("replicas:", "replicaz:");
  expect(await faults(text)).toContain("additional properties 'replicaz' not allowed");
});

test("KEDA alone says how many workers there are", async () => {
  const workers = parseAllDocuments(await rendered(join(kubernetes, "overlays/kafka")))
    .map((one) => one.toJS() as { kind: string; metadata: { name: string }; spec: object })
    .find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "refold-workers");
  expect(workers?.spec).not.toHaveProperty("replicas");
});

test("Prometheus takes the alert rules, and they fire and keep still as their tests say", async () => {
  const rules = join(projectRoot, "stack/prometheus/alerts.yaml");
  await run(tool("PROMTOOL"), ["check", "rules", rules]);
  const tests = join(projectRoot, "test/operations/alert-rules.yaml");
  expect((await run(tool("PROMTOOL"), ["test", "rules", tests])).stdout).toContain("SUCCESS");
});
