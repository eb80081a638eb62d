/**
 * Writes `schemas/generated/<folder>.ts` from the .avsc files: for each record an interface and a
 * value of the same name, the file's name. Run it with `node schemas/generate.ts` after a change to
 * a schema; a test compares what is checked in.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { typescriptOf } from "./typescript-of.ts";

export const schemaFolders = [
  "catalogue",
  "enrolments",
  "modules",
  "notices",
  "payments",
  "seats",
  "sessions",
  "updates",
] as const;

const schemasFolder = import.meta.dirname;

/** The generated modules by file name, as they should be in `schemas/generated`. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map(schemaFolders.map((folder) => [`${folder}.ts`, moduleOf(folder)]));
}

function moduleOf(folder: string): string {
  const files = readdirSync(join(schemasFolder, folder))
    .filter((file) => file.endsWith(".avsc"))
    .sort();
  const parts = files.map((file) => {
    const text = readFileSync(join(schemasFolder, folder, file), "utf8");
    return typescriptOf(basename(file, ".avsc"), JSON.parse(text));
  });
  return [
    "// Generated from the .avsc files by schemas/generate.ts.",
    'import type { RecordType } from "../event-type.ts";',
    "",
    parts.join("\n"),
  ].join("\n");
}

if (import.meta.main) {
  const target = join(schemasFolder, "generated");
  mkdirSync(target, { recursive: true });
  for (const [file, text] of generatedFiles()) writeFileSync(join(target, file), text);
}
