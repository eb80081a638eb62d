import { FatalError, RefoldError, TransientError } from "../../../engine/errors.ts";

/** Classes and codes of https://www.postgresql.org/docs/18/errcodes-appendix.html. */
const transientClasses = ["08", "40", "53", "55", "57", "58"];
/**
 * The session was idle in its transaction for too long, or the transaction was open too long; or the
 * server is read-only, as one is that another is just taking over from.
 */
const transientStates = ["25P03", "25P04", "25006"];
const dataClasses = ["22", "23"];
const diskFull = "53100";
export const uniqueViolation = "23505";
export const deadlockDetected = "40P01";

export const sqlState = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : "";
};

/** One request's own fault (a character that text can't hold), which others must not suffer. */
export const isDataFault = (error: unknown): boolean =>
  dataClasses.includes(sqlState(error).slice(0, 2));

/**
 * What a failed statement means for the caller. Without a state of the server's it is the
 * connection that failed: what was sent may have happened, and the ids make trying again safe.
 */
export function asFailure(error: unknown, doing: string): RefoldError {
  if (error instanceof RefoldError) return error;
  const state = sqlState(error);
  const text = error instanceof Error ? error.message : String(error);
  const message = `The event store failed to ${doing}: ${text}`;
  if (state === diskFull) return new TransientError("storage-full", message, { cause: error });
  if (isTransient(state)) {
    return new TransientError("event-store-unavailable", message, { cause: error });
  }
  return new FatalError(
    "event-store-refused",
    `${message} (${state}).`,
    "Check that the migrations ran and that the user owns the schema refold.",
    { cause: error },
  );
}

const isTransient = (state: string): boolean =>
  state === "" ||
  state === uniqueViolation ||
  transientClasses.includes(state.slice(0, 2)) ||
  transientStates.includes(state);
