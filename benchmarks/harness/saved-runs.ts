import { existsSync, readFileSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { CommandFailure } from "../../bin/command-failure.ts";
import type { RunResult } from "./result.ts";

/** Where runs are kept that `--save` was given for. */
export const resultsFolder = fileURLToPath(new URL("../results/", import.meta.url));

/** Keeps a run under its date and revision, beside those that are there; gives the file's path. */
export async function saveRun(run: RunResult, folder = resultsFolder): Promise<string> {
  const { startedAt, revision } = run;
  const date = startedAt.slice(0, 16).replace("T", "-").replace(":", "");
  const name = `${date}-${revision.commit}${revision.dirty ? "-dirty" : ""}`;
  const path = freePath(join(folder, name));
  await writeText(path, `${JSON.stringify(run, undefined, 2)}\n`);
  return path;
}

function freePath(stem: string): string {
  for (let number = 1; ; number += 1) {
    const path = `${stem}${number === 1 ? "" : `-${number}`}.json`;
    if (!existsSync(path)) return path;
  }
}

/** @throws CommandFailure `usage` where the file can't be written. */
export const writeText = (path: string, text: string): Promise<void> =>
  written(path, () => writeFile(path, text));

/**
 * Asked before a run, which takes minutes: a page that can't be written is to be known at once. What
 * the file holds stays as it is.
 *
 * @throws CommandFailure `usage` where the file can't be written.
 */
export const assertWritable = (path: string): Promise<void> =>
  written(path, () => appendFile(path, ""));

async function written(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await write();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure("usage", `${path} can't be written (${why}): name another file.`);
  }
}

/**
 * A run by the path of its file, or its name among those that are kept.
 * @throws CommandFailure where there is no such run, or the file holds something else.
 */
export function savedRun(named: string, folder = resultsFolder): RunResult {
  const places = [named, join(folder, named), join(folder, `${named}.json`)];
  const path = places.find((place) => existsSync(place));
  if (path === undefined) {
    throw new CommandFailure(
      "nothingThere",
      `There is no run ${named}: give the path of a file that --json or --save has written, or ` +
        "its name in benchmarks/results.",
    );
  }
  const run = parsed(path);
  if (run === undefined) {
    throw new CommandFailure(
      "usage",
      `${path} holds no run: give a file that refold bench has written with --json or --save.`,
    );
  }
  return run;
}

function parsed(path: string): RunResult | undefined {
  try {
    const run = JSON.parse(readFileSync(path, "utf8")) as Partial<RunResult> | null;
    return run?.format === 1 && Array.isArray(run.workloads) ? (run as RunResult) : undefined;
  } catch {
    return undefined;
  }
}
