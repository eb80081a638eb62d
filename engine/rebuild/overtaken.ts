import { FatalError } from "../errors.ts";

/**
 * Retention may overtake a rebuild on its way; reader and replay say each in its own words that an
 * offset is gone. Anything else is as it was.
 */
export function asOvertaken(error: unknown): unknown {
  if (!(error instanceof FatalError)) return error;
  if (!/\bout-of-range\b/.test(`${error.code} ${error.message}`)) return error;
  const what = error.message.slice(0, -error.remedy.length).trimEnd();
  return new FatalError(
    "history-gone",
    `The log has lost records before the rebuild has read them. ${what}`,
    "Start it again: it begins from a snapshot, or tells what is left.",
    { cause: error },
  );
}
