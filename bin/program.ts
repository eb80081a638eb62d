import { Command, InvalidArgumentError } from "commander";

import type { PlaceOptions } from "./environment.ts";

/** A command that takes the options by which it finds its database. */
export function commandOnDatabase(name: string): Command {
  return new Command(name)
    .option("--data <dir>", "data folder (default: .refold, or REFOLD_DATA)")
    .option("--database-url <url>", "a Postgres of your own (default: DATABASE_URL)")
    .option("--env-file <file>", "settings that the environment doesn't have (NAME=value lines)");
}

export type OptionsOnDatabase = PlaceOptions;

/** Parses a whole number within bounds, for commander. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
