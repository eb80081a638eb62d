import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import type { AnyProjection } from "../../engine/projection.ts";
import { CommandFailure } from "../command-failure.ts";

/**
 * The projection that a file exports: the one of this name, or its default export. TypeScript is
 * taken as Node strips its types.
 *
 * @throws CommandFailure `usage` for a file that can't be run, or has no such projection.
 */
export async function projectionIn(path: string, name: string): Promise<AnyProjection> {
  const file = resolve(path);
  if (!existsSync(file)) throw new CommandFailure("usage", `There is no file ${file}.`);
  const exported = Object.entries(await moduleOf(file));
  const found =
    exported
      .map(([, value]) => value)
      .find((value) => isProjection(value) && value.name === name) ??
    exported.find(([as]) => as === "default")?.[1];
  if (isProjection(found)) return found;
  const all = exported.map(([as]) => as).join(", ") || "nothing";
  throw new CommandFailure(
    "usage",
    `${file} exports no projection ${name}, and none as default: make it with defineProjection ` +
      `and export it. It exports ${all}.`,
  );
}

async function moduleOf(file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandFailure("usage", `${file} can't be run: ${why}`, { cause });
  }
}

function isProjection(value: unknown): value is AnyProjection {
  if (typeof value !== "object" || value === null) return false;
  const { kind, name, version, row, on } = value as Partial<Record<string, unknown>>;
  return (
    (kind === "events" || kind === "changes") &&
    typeof name === "string" &&
    typeof version === "number" &&
    typeof row === "object" &&
    typeof on === "object"
  );
}
