import { RefoldError, TransientError } from "../../../engine/errors.ts";

/**
 * Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html after which the same
 * call may work: connection, serialisation, resources, not ready, shutdown.
 */
const passing = /^(08|40|53|55|57)/;

/** A provider that can't be reached is no reason to give a payment up. */
export function asFailure(error: unknown): Error {
  if (error instanceof RefoldError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const { code } = error as { readonly code?: unknown };
  const state = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : "";
  if (state !== "" && !passing.test(state)) return error;
  const message = `The sandbox of payments can't be reached: ${error.message}`;
  return new TransientError("payments-away", message, { cause: error });
}
