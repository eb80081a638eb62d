import { FatalError, RefoldError, TransientError } from "../../engine/errors.ts";

/**
 * What a failure means. `changing`: a lost answer leaves the outcome unknown; `reading`: there is
 * nothing to be unsure of.
 */
export type Stage = "reading" | "changing";

/** Answers of a server that may take the same call later: it loads, is full, or is a replica now. */
const passing = new Set([
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN",
  "UNBLOCKED",
]);

/** The first word of a server's error; undefined for what didn't come from the server. */
export function replyCode(error: Error): string | undefined {
  return error.name === "ReplyError" ? /^[A-Z]+/.exec(error.message)?.[0] : undefined;
}

/** Nothing was sent, since there was no connection. */
const wasNotSent = (error: Error): boolean => error.message.includes("enableOfflineQueue");

/** Names a failure by what the caller does about it. */
export function redisError(error: unknown, doing: string, stage: Stage): RefoldError {
  if (error instanceof RefoldError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const options = { cause };
  const code = replyCode(cause);
  if (code !== undefined) {
    if (passing.has(code)) {
      return new TransientError("redis-unavailable", `${doing}: ${cause.message}.`, options);
    }
    const remedy = "Check the user's permissions and that nobody else writes below refold:.";
    return new FatalError("redis-refused", `${doing}: ${cause.message}.`, remedy, options);
  }
  if (stage === "reading" || wasNotSent(cause)) {
    const text = wasNotSent(cause) ? "there is no connection to Redis" : cause.message;
    return new TransientError("redis-unavailable", `${doing}: ${text}.`, options);
  }
  const message = `${doing}: the answer was lost, so it may have been done (${cause.message}).`;
  return new TransientError("outcome-unknown", message, options);
}
