import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

import { parseAst } from "vitest/node";

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Modules that it names: a path from the root for ours, the specifier as it is for others. */
  readonly imports: readonly string[];
  readonly functions: readonly { readonly line: number; readonly lines: number }[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Every tracked or new TypeScript file that is written by hand. */
export function sourceFiles(): readonly SourceFile[] {
  return listedFiles("*.ts")
    .filter((path) => !path.startsWith("schemas/generated/") && existsSync(join(projectRoot, path)))
    .map(readSource);
}

/** Files that git tracks, and new ones that it does not ignore. */
export function listedFiles(pattern: string): readonly string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--", pattern];
  const list = execFileSync("git", args, { cwd: projectRoot, encoding: "utf8" });
  return list.split("\n").filter((path) => path !== "");
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(projectRoot, path), "utf8");
  const nodes = [...walk(parseAst(text, { lang: "ts" }))];
  const lineOf = (offset: number): number => text.slice(0, offset).split("\n").length;
  return {
    path,
    text,
    lines: text.trimEnd().split("\n").length,
    imports: nodes.flatMap((node) => importOf(node, path)),
    functions: nodes.filter(isFunction).map((node) => {
      const line = lineOf(node.start);
      return { line, lines: lineOf(node.end) - line + 1 };
    }),
  };
}

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child)) yield* walk(child);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function isFunction(node: Node): boolean {
  return ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"].includes(
    node.type,
  );
}

function importOf(node: Node, path: string): string[] {
  const named = ["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration"];
  if (!named.includes(node.type) && node.type !== "ImportExpression") return [];
  const source = (node as Node & { source?: { value?: unknown } | null }).source?.value;
  if (typeof source !== "string") return [];
  if (!source.startsWith(".")) return [source];
  return [posix.normalize(posix.join(posix.dirname(path), source))];
}
