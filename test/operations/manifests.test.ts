import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { apiCommand, workerCommand } from "../../bin/commands/roles.ts";
import { captureCommand } from "../../bin/commands/capture.ts";
import { application } from "../../bin/system/definitions.ts";
import { projectRoot } from "../support/source-tree.ts";

const kubernetes = join(projectRoot, "stack/kubernetes");
const text = (path: string): string => readFileSync(join(projectRoot, path), "utf8");

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly [{ readonly name: string; readonly containerPort: number }];
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly securityContext: object;
}

interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly type?: string };
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly [Container];
      };
    };
  };
}

function deploymentOf(role: string): Deployment {
  const [first] = parseAllDocuments(text(`stack/kubernetes/base/${role}.yaml`));
  return first?.toJS() as Deployment;
}

const roles = [
  { role: "api", command: apiCommand() },
  { role: "workers", command: workerCommand() },
  { role: "capture", command: captureCommand() },
] as const;

test.for(roles)(
  "$role: its arguments are the command's own, and its port is the one it opens",
  ({ role, command }) => {
    const [{ args, ports }] = deploymentOf(role).spec.template.spec.containers;
    const [name, ...options] = args;
    expect(name).toBe(command.name());
    const { operands, unknown } = command.parseOptions(options);
    expect({ operands, unknown }).toEqual({ operands: [], unknown: [] });
    expect(command.opts()).toMatchObject({ host: "0.0.0.0", port: ports[0].containerPort });
  },
);

/** The sum of the limits within which the parts of a process stop, one after the other. */
function stopSeconds(): number {
  const calls = [...text("bin/system/run-roles.ts").matchAll(/stop\.add\((.*)\);/g)];
  expect(calls.length).toBeGreaterThan(5);
  const limits = calls.map(([, call = ""]) => {
    const [, told] = /, ([\d_]+)$/.exec(call) ?? [];
    return told === undefined ? 10_000 : Number(told.replaceAll("_", ""));
  });
  return limits.reduce((sum, one) => sum + one, 0) / 1_000;
}

test("nobody is killed before the code's own time limits for a stop are over", () => {
  for (const { role } of roles) {
    const { terminationGracePeriodSeconds, containers } = deploymentOf(role).spec.template.spec;
    const waits = Number(containers[0].lifecycle?.preStop.exec.command.at(-1) ?? 0);
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(stopSeconds() + waits);
  }
});

test("every process is probed, runs without rights, and can't write to its image", () => {
  for (const { role } of roles) {
    const { securityContext, containers } = deploymentOf(role).spec.template.spec;
    const [container] = containers;
    expect(container.livenessProbe.httpGet.path).toBe("/livez");
    expect(container.readinessProbe.httpGet.path).toBe(role === "api" ? "/livez" : "/readyz");
    expect(securityContext).toMatchObject({ runAsNonRoot: true });
    expect(container.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
  }
});

test("there is one capture at a time", () => {
  const { replicas, strategy } = deploymentOf("capture").spec;
  expect({ replicas, strategy }).toEqual({ replicas: 1, strategy: { type: "Recreate" } });
});

test("every setting is one that the code reads", () => {
  const read = new Set(
    readdirSync(join(projectRoot, "bin"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => text(join("bin", path)).match(/\b[A-Z][A-Z0-9]*(_[A-Z0-9]+)*\b/g) ?? []),
  );
  const files = readdirSync(kubernetes, { recursive: true, encoding: "utf8" });
  const given = files
    .filter((path) => /kustomization\.yaml$|secret\.example/.test(path))
    .flatMap((path) => settingsIn(readFileSync(join(kubernetes, path), "utf8")));
  expect(given).toContain("DATABASE_URL");
  expect(given).toContain("KAFKA_BROKERS");
  expect(given.filter((name) => !read.has(name))).toEqual([]);
});

function settingsIn(yaml: string): string[] {
  const { stringData = {}, configMapGenerator = [] } = parse(yaml) as {
    stringData?: Record<string, string>;
    configMapGenerator?: { literals: string[] }[];
  };
  const literals = configMapGenerator.flatMap((one) => one.literals);
  return [...Object.keys(stringData), ...literals.map((one) => one.slice(0, one.indexOf("=")))];
}

test("workers are scaled on the lag of every consumer, up to the partitions", () => {
  const { spec } = parse(text("stack/kubernetes/overlays/kafka/scaled-workers.yaml")) as {
    spec: {
      maxReplicaCount: number;
      triggers: { metadata: { consumerGroup: string; topic: string } }[];
    };
  };
  const groups = new Set(spec.triggers.map(({ metadata }) => metadata.consumerGroup));
  const { projections, processors } = application;
  expect([...groups].sort()).toEqual(
    [...projections, ...processors].map(({ name }) => `refold.${name}`).sort(),
  );
  const topics = [...application.eventTopics, ...application.changeTopics];
  const partitions = spec.triggers.map(
    ({ metadata }) => topics.find(({ name }) => name === metadata.topic)?.partitions,
  );
  expect(spec.maxReplicaCount).toBe(Math.max(...partitions.map((one) => one ?? 0)));
});
