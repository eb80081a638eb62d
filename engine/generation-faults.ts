import { FatalError } from "./errors.ts";

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

export const stateDiffers = (processor: string, difference: string) =>
  new FatalError(
    "columns-differ",
    `The state of processor ${processor} is stored in another shape: ${difference}.`,
    "Give the processor of the new shape a new name, or declare the columns as stored.",
  );

export const processorUnknown = (processor: string) =>
  new FatalError("processor-unknown", `${processor} isn't open.`, "Open it before it is used.");
