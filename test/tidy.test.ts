import { expect, test } from "vitest";

import { listedFiles, sourceFiles, type SourceFile } from "./support/source-tree.ts";

const functionLinesMax = 70;
const fileLinesMax = 400;

const files = sourceFiles();
const shipped = files.filter((file) => !/^(test|benchmarks)\//.test(file.path));

/** What a folder may import of ours, beside itself. Folders not named here may import all. */
const edges: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  engine: [],
  processors: ["engine", "schemas"],
  projections: ["engine", "schemas"],
  connectors: ["engine", "schemas/avro"],
  api: ["engine", "schemas", "projections", "processors"],
  stack: [],
};

/** Connectors that build on the Postgres connector's public face. */
const onPostgres = ["capture", "registry"];

/** Client libraries and the like belong behind the ports. */
const engineMayImport = /^node:/;

/** What providers of payments implement: a port that belongs to the domain, not to the engine. */
const paymentProviderPort = "processors/payments/provider.ts";

/** What proves who asks: a port that belongs to the API, not to the engine. */
const accessPort = "api/access/contract.ts";

function ours(specifier: string): boolean {
  return specifier.endsWith(".ts");
}

function mayImport(file: SourceFile, target: string): boolean {
  const [folder = "", part = ""] = file.path.split("/");
  const [targetFolder = "", targetPart = ""] = target.split("/");
  if (targetFolder === "bin" && folder !== "bin") return false;
  if (folder === "connectors" && targetFolder === "connectors") {
    const face = target === "connectors/postgres/index.ts" && onPostgres.includes(part);
    return targetPart === part || face;
  }
  if (folder === "connectors" && part === "payments" && target === paymentProviderPort) return true;
  if (folder === "connectors" && part === "accounts" && target === accessPort) return true;
  if (folder === targetFolder) return true;
  const allowed = edges[folder];
  return allowed === undefined || allowed.some((edge) => target.startsWith(`${edge}/`));
}

test("imports follow the edges between folders", () => {
  const wrong = shipped.flatMap((file) =>
    file.imports
      .filter((target) => ours(target) && !mayImport(file, target))
      .map((target) => `${file.path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("slices of processors and projections don't import each other across the two", () => {
  const wrong = shipped.flatMap((file) =>
    file.imports
      .filter((target) => file.path.startsWith("projections/") && target.startsWith("processors/"))
      .map((target) => `${file.path} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

test("the engine imports neither a client library nor a test runner", () => {
  const wrong = shipped
    .filter((file) => file.path.startsWith("engine/"))
    .flatMap((file) =>
      file.imports
        .filter((target) => !ours(target) && !engineMayImport.test(target))
        .map((target) => `${file.path} imports ${target}`),
    );
  expect(wrong).toEqual([]);
});

test("the engine reads neither the environment nor the wall clock", () => {
  const reads = /process\.env|Date\.now\(\)|new Date\(\)|performance\.now\(\)|Math\.random\(\)/;
  const wrong = shipped
    .filter((file) => file.path.startsWith("engine/") && reads.test(file.text))
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

test("only bin and stack read the environment", () => {
  const wrong = shipped
    .filter((file) => !/^(bin|stack)\//.test(file.path) && file.text.includes("process.env"))
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

test("no modules import each other in a circle", () => {
  expect(circles(shipped)).toEqual([]);
});

/** Depth-first search; a module met again on its own path closes a circle. */
function circles(modules: readonly SourceFile[]): string[] {
  const byPath = new Map(modules.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path) || trail.includes(path)) return;
    for (const target of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const file of modules) visit(file.path, []);
  return found;
}

test(`functions have at most ${functionLinesMax} lines`, () => {
  const long = shipped.flatMap((file) =>
    file.functions
      .filter((found) => found.lines > functionLinesMax)
      .map((found) => `${file.path}:${found.line} has ${found.lines} lines`),
  );
  expect(long).toEqual([]);
});

test(`files have at most ${fileLinesMax} lines`, () => {
  const long = files.filter((file) => file.lines > fileLinesMax);
  expect(long.map((file) => `${file.path} has ${file.lines} lines`)).toEqual([]);
});

test("no file is a drawer for odds and ends", () => {
  const drawers = listedFiles("*").filter((path) =>
    /(^|\/)(utils?|common|helpers?)(\.|\/)/.test(path),
  );
  expect(drawers).toEqual([]);
});

test("no test is left out or run alone", () => {
  const marked = files.filter((file) =>
    /\b(it|test|describe)\.(skip|only|todo)\b\(/.test(file.text),
  );
  expect(marked.map((file) => file.path)).toEqual([]);
});
