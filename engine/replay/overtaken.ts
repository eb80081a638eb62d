import { FatalError } from "../errors.ts";

/**
 * Has retention taken what a replay was still to read? The log's reader and the replay that it stops
 * say each in its own words that an offset is gone.
 */
export const isOvertaken = (error: unknown): error is FatalError =>
  error instanceof FatalError && /\bout-of-range\b/.test(`${error.code} ${error.message}`);
