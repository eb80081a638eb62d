import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";

import { CommandFailure } from "./command-failure.ts";
import { serversOf, type Environment, type Servers } from "./servers.ts";

/** Where the database is. */
export interface DatabasePlace {
  /** A database of the user's own; without it the data folder's embedded one is used. */
  readonly databaseUrl: string | undefined;
  /** Absolute path of the data folder. */
  readonly dataFolder: string;
}

/** What the environment and the options common to all commands say. */
export interface Place extends DatabasePlace {
  /** What is used beside the database, in place of what is embedded in it. */
  readonly servers: Servers;
}

export interface PlaceOptions {
  readonly databaseUrl?: string;
  readonly data?: string;
  readonly envFile?: string;
}

/** Limits of the API as `name=number`: those of REFOLD_LIMITS, then those of the options. */
export function givenLimits(
  options: readonly string[] | undefined,
  environment: Environment = process.env,
): readonly string[] {
  const fromEnvironment = (environment["REFOLD_LIMITS"] ?? "").split(",");
  return [...fromEnvironment.map((text) => text.trim()), ...(options ?? [])].filter(Boolean);
}

/**
 * Options win over the environment, and the environment over a file that is named. The environment
 * is read here and nowhere else.
 *
 * @throws CommandFailure `usage` naming every setting that can't be used.
 */
export function placeOf(options: PlaceOptions, environment: Environment = process.env): Place {
  const settings = { ...settingsIn(options.envFile), ...withoutEmpty(environment) };
  return {
    databaseUrl: options.databaseUrl ?? settings["DATABASE_URL"],
    dataFolder: resolve(options.data ?? settings["REFOLD_DATA"] ?? ".refold"),
    servers: serversOf(settings),
  };
}

/** What is set to nothing isn't set. */
function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
}

function settingsIn(path: string | undefined): Environment {
  if (path === undefined) return {};
  try {
    return withoutEmpty(parseEnv(readFileSync(path, "utf8")));
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CommandFailure("usage", `${path} can't be read (${why}).`, { cause });
  }
}
