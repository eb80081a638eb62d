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

/** Options win over the environment. The environment is read here and nowhere else. */
export function placeOf(options: PlaceOptions, environment = process.env): Place {
  const databaseUrl = options.databaseUrl ?? environment["DATABASE_URL"];
  return {
    databaseUrl: databaseUrl === "" ? undefined : databaseUrl,
    dataFolder: resolve(options.data ?? environment["REFOLD_DATA"] ?? ".refold"),
  };
}
