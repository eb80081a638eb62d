import type { Origin } from "../decision/outcome.ts";
import type { Cause } from "../ports/effect-ledger.ts";

/** What is decided on an effect's answer, or on a deadline, goes on with what had caused those. */
export const carriedOrigin = (
  { correlationId, causationId, traceparent }: Cause,
  seed: string,
): Origin => ({
  correlationId,
  ...(causationId === undefined ? {} : { causationId }),
  ...(traceparent === undefined ? {} : { traceparent }),
  seed,
});
