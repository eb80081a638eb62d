import { apiOptions, type ApiOptions, defaultApiOptions } from "../api/options.ts";
import { CommandFailure } from "./command-failure.ts";

/**
 * The API's options with bounds given as `name=number`, checked together; the last of a name wins.
 * @throws CommandFailure for a name that no bound has, what is no number, and what doesn't fit.
 */
export function limitsOf(texts: readonly string[]): ApiOptions {
  try {
    return apiOptions(Object.fromEntries(texts.map(boundOf)));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CommandFailure("usage", error.message, { cause: error });
  }
}

function boundOf(text: string): readonly [string, number | "unlimited"] {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at));
  const value = text.slice(at + 1);
  if (!Object.hasOwn(defaultApiOptions, name)) throw unknownBound(text);
  if (name === "studentModuleLimit" && value === "unlimited") return [name, value];
  if (/^\d{1,15}$/.test(value)) return [name, Number(value)];
  throw new CommandFailure("usage", `The limit ${name} takes a whole number, not "${value}".`);
}

const unknownBound = (text: string): CommandFailure =>
  new CommandFailure(
    "usage",
    `There is no limit in "${text}": give name=number, where the names are ${names.join(", ")}.`,
  );

const names = Object.keys(defaultApiOptions);

/** The names with their defaults, for the help of a command. */
export const limitsText = (): string =>
  Object.entries(defaultApiOptions)
    .map(([name, value]) => `  ${name}=${value}`)
    .join("\n");
