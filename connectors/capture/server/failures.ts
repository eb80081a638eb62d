import { DatabaseError } from "pg";

import { RefoldError, TransientError } from "../../../engine/errors.ts";

/**
 * SQLSTATEs after which the same may work: connection, resources, shutdown, serialisation, an
 * object in use, lock and statement timeouts
 * (https://www.postgresql.org/docs/18/errcodes-appendix.html).
 */
const transientStates = /^(08|53|57P|40|55006|55P03|57014|25P0[34])/;

/** Errors of the server that pass, and of the connection to it, as `TransientError`; others as they are. */
export function captureError(error: unknown, doing: string): unknown {
  if (error instanceof RefoldError || !(error instanceof Error)) return error;
  if (error instanceof DatabaseError) {
    if (!transientStates.test(error.code ?? "")) return error;
    return new TransientError("database", `${doing}: ${error.message}.`, { cause: error });
  }
  if (!isConnectionFailure(error)) return error;
  return new TransientError("connection", `${doing}: ${error.message}.`, { cause: error });
}

const socketFailure = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_AGAIN|ENOTFOUND)/;

function isConnectionFailure(error: Error): boolean {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return socketFailure.test(code) || /connection|timeout expired/i.test(error.message);
}
