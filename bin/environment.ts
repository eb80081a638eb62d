import { resolve } from "node:path";

/** What the environment and the options common to all commands say. */
export interface Place {
  /** A database of the user's own; without it the data folder's embedded one is used. */
  readonly databaseUrl: string | undefined;
  /** Absolute path of the data folder. */
  readonly dataFolder: string;
}

export interface PlaceOptions {
  readonly databaseUrl?: string;
  readonly data?: string;
}

/** Limits of the API as `name=number`: those of REFOLD_LIMITS, then those of the options. */
export function givenLimits(
  options: readonly string[] | undefined,
  environment = process.env,
): readonly string[] {
  const fromEnvironment = (environment["REFOLD_LIMITS"] ?? "").split(",");
  return [...fromEnvironment.map((text) => text.trim()), ...(options ?? [])].filter(Boolean);
}

/** Options win over the environment. The environment is read here and nowhere else. */
export function placeOf(options: PlaceOptions, environment = process.env): Place {
  const databaseUrl = options.databaseUrl ?? environment["DATABASE_URL"];
  return {
    databaseUrl: databaseUrl === "" ? undefined : databaseUrl,
    dataFolder: resolve(options.data ?? environment["REFOLD_DATA"] ?? ".refold"),
  };
}
