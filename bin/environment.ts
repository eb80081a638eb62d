import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";

import { CommandFailure } from "./command-failure.ts";
import { paymentSettingsOf, type PaymentSettings } from "./payment-settings.ts";
import { trustAuthorities } from "./tls/trust.ts";
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
  /** What a new version of a projection does. */
  readonly newVersions: NewVersions;
  /** From the end of one look of the standing audit to the begin of the next. */
  readonly auditRestMs: number;
  readonly paymentSettings: PaymentSettings;
  /** How long a freed seat is held for the first in line. */
  readonly offerMs: number;
}

/** `auto`: it starts its rebuild by itself, and is swapped in; `manual`: it waits for an operator. */
export type NewVersions = "auto" | "manual";

/** Names of the settings that say where servers and data are: whoever starts a process on others leaves these out. */
export const placeSettings = [
  "CAPTURE",
  "CONNECT_URL",
  "DATABASE_URL",
  "KAFKA_BROKERS",
  "REDIS_URL",
  "REFOLD_DATA",
  "SCHEMA_REGISTRY_URL",
] as const;

export interface PlaceOptions {
  readonly databaseUrl?: string;
  readonly data?: string;
  readonly envFile?: string;
  /** Default: REFOLD_REBUILD, or `auto`. */
  readonly rebuild?: string;
  /** Seconds; default: REFOLD_AUDIT_REST, or 60. */
  readonly auditRest?: string;
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
 * is read here and nowhere else. Authorities that the settings name are trusted by this process from
 * then on.
 *
 * @throws CommandFailure `usage` naming every setting that can't be used.
 */
export function placeOf(options: PlaceOptions, environment: Environment = process.env): Place {
  const settings = settingsOf(options.envFile, environment);
  trustAuthorities(settings["REFOLD_TLS_CA"]);
  return {
    databaseUrl: options.databaseUrl ?? settings["DATABASE_URL"],
    dataFolder: resolve(options.data ?? settings["REFOLD_DATA"] ?? ".refold"),
    servers: serversOf(settings),
    newVersions: newVersionsOf(options.rebuild ?? settings["REFOLD_REBUILD"] ?? "auto"),
    auditRestMs: auditRestMsOf(options.auditRest ?? settings["REFOLD_AUDIT_REST"] ?? "60"),
    paymentSettings: paymentSettingsOf(settings),
    offerMs: offerMsOf(settings["REFOLD_OFFER_TIME"] ?? "900"),
  };
}

function newVersionsOf(text: string): NewVersions {
  if (text === "auto" || text === "manual") return text;
  throw new CommandFailure("usage", `--rebuild (REFOLD_REBUILD) is auto or manual, not "${text}".`);
}

const auditRestMaxSeconds = 86_400;

function auditRestMsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= auditRestMaxSeconds) return seconds * 1_000;
  throw new CommandFailure(
    "usage",
    `--audit-rest (REFOLD_AUDIT_REST) is a whole number of seconds from 1 to ` +
      `${auditRestMaxSeconds}, not "${text}".`,
  );
}

const offerMaxSeconds = 30 * 86_400;

function offerMsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= offerMaxSeconds) return seconds * 1_000;
  throw new CommandFailure(
    "usage",
    `REFOLD_OFFER_TIME is a whole number of seconds from 1 to ${offerMaxSeconds}, not "${text}".`,
  );
}

/** Settings of the environment, and those of a file that it doesn't have. */
export const settingsOf = (
  envFile: string | undefined,
  environment: Environment = process.env,
): Environment => ({ ...settingsIn(envFile), ...withoutEmpty(environment) });

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
