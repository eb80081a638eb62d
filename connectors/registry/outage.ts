import { DatabaseError } from "pg";

import { FatalError, RefoldError, TransientError } from "../../engine/errors.ts";

/**
 * Classes and codes after which the same call may work: connection, resources, shutdown,
 * serialisation, deadlock, lock and statement timeouts
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const transientStates = /^(08|53|57P|40|55P03|57014|25P0[34])/;

/** What the registry's callers are told of a failure in its database. */
export function registryError(error: unknown): Error {
  if (error instanceof RefoldError) return error;
  const doing = "The schema registry can't use its database";
  if (!(error instanceof DatabaseError)) {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new TransientError("connection", `${doing}: ${message}.`, { cause: error });
  }
  if (transientStates.test(error.code ?? "")) {
    return new TransientError("database", `${doing}: ${error.message}.`, { cause: error });
  }
  const remedy =
    error.code === "42P01" ? "Apply the registry's migrations." : "See the server's log.";
  return new FatalError("database", `${doing}: ${error.message}.`, remedy, { cause: error });
}
