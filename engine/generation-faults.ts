import type { Columns } from "./columns.ts";
import { FatalError } from "./errors.ts";
import type { GenerationRole } from "./ports/generations.ts";
import { columnDifference } from "./stored-row.ts";

type Declared = { readonly projection: string; readonly version: number };

export const versionDiffers = ({ projection, version }: Declared, serving: number) =>
  new FatalError(
    "version-differs",
    `Projection ${projection} serves version ${serving}, and this code has version ${version}.`,
    "Build a generation of this version and swap it in, or run the code of the serving version.",
  );

export const columnsDiffer = ({ projection, version }: Declared, difference: string) =>
  new FatalError(
    "columns-differ",
    `Projection ${projection} is stored in version ${version} with other columns: ${difference}.`,
    "Raise the projection's version, so that a new generation is built.",
  );

export function generationUnknown(projection: string, generation?: number): FatalError {
  return generation === undefined
    ? new FatalError(
        "no-generation",
        `Projection ${projection} was never built.`,
        "Start a process that runs it, or correct the name.",
      )
    : new FatalError(
        "generation-unknown",
        `Projection ${projection} has no generation ${generation}; it may have been dropped.`,
        "Open the projection again to get the one that serves.",
      );
}

export const generationServes = (projection: string, generation: number) =>
  new FatalError(
    "generation-serves",
    `Generation ${generation} of ${projection} serves: it can't be given up.`,
    "Swap another one in first.",
  );

/** @throws FatalError `generation-serves`, `generation-in-use`. */
export function assertRemovable(
  { projection, generation }: { readonly projection: string; readonly generation: number },
  role: GenerationRole,
): void {
  if (role === "removing") return;
  if (role === "serving") throw generationServes(projection, generation);
  throw new FatalError(
    "generation-in-use",
    `Generation ${generation} of ${projection} is ${role}: nothing of it is removed.`,
    "Retire it first.",
  );
}

export const snapshotUnknown = (id: bigint) =>
  new FatalError(
    "snapshot-unknown",
    `There is no snapshot ${id}; it may have been removed.`,
    "Plan again from the snapshots that there are.",
  );

export const snapshotUnfit = (id: bigint, model: Declared, fault: string) =>
  new FatalError(
    "snapshot-unfit",
    `Version ${model.version} of ${model.projection} can't begin from snapshot ${id}: ${fault}.`,
    "Begin from the log's start, or from a snapshot of this version.",
  );

/** Why a generation of this model can't begin from it; undefined: it can. */
export function snapshotFault(
  snapshot: Declared & { readonly refuted: string | undefined },
  columns: Columns,
  model: Declared & { readonly columns: Columns },
): string | undefined {
  const { projection, version, refuted } = snapshot;
  if (projection !== model.projection) return `it is one of ${projection}`;
  if (version !== model.version) return `it is of version ${version}`;
  if (refuted !== undefined) return `the log gave something else (${refuted})`;
  return columnDifference(columns, model.columns);
}

export const stateDiffers = (processor: string, difference: string) =>
  new FatalError(
    "columns-differ",
    `The state of processor ${processor} is stored in another shape: ${difference}.`,
    "Give the processor of the new shape a new name, or declare the columns as stored.",
  );

export const processorUnknown = (processor: string) =>
  new FatalError("processor-unknown", `${processor} isn't open.`, "Open it before it is used.");
