import { DatabaseError } from "pg";

import { FatalError, RefoldError, TransientError } from "../../../engine/errors.ts";
import { partitionUnknown, topicUnknown } from "../../../engine/record-log/faults.ts";

/** SQLSTATE with which `refold.log_append` says that a topic or partition isn't there. */
const unknownTarget = "RF404";

/**
 * Classes and codes after which the same call may work: connection, resources, shutdown,
 * serialisation, deadlock, lock and statement timeouts
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const transientStates = /^(08|53|57P|40|55P03|57014|25P0[34])/;

interface UnknownTarget {
  readonly topic: string;
  readonly partition: number;
  readonly partitions: number | null;
  readonly known: readonly string[];
}

/** What the log's callers are told of a failure in the database. */
export function logError(error: unknown, doing: string): RefoldError {
  if (error instanceof RefoldError) return error;
  if (!(error instanceof DatabaseError)) return lostConnection(error, doing);
  if (error.code === unknownTarget) return unknownTargetError(error);
  if (transientStates.test(error.code ?? "")) {
    return new TransientError("database", `${doing}: ${error.message}.`, { cause: error });
  }
  if (error.code === "42P01" || error.code === "42883") {
    const remedy = "Apply the migrations of the record log.";
    const what = `${doing}: the log's tables are not there.`;
    return new FatalError("schema-missing", what, remedy, { cause: error });
  }
  return new FatalError("database", `${doing}: ${error.message}.`, "See the server's log.", {
    cause: error,
  });
}

/** Errors that are not the server's answer come from the connection; our own mistakes do not. */
function lostConnection(error: unknown, doing: string): RefoldError {
  if (error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)) {
    return new FatalError("defect", `${doing}: ${String(error)}.`, "Report this as a defect.", {
      cause: error,
    });
  }
  return new TransientError("connection", `${doing}: ${error.message}.`, { cause: error });
}

function unknownTargetError(error: DatabaseError): RefoldError {
  const { topic, partition, partitions, known } = JSON.parse(error.detail ?? "{}") as UnknownTarget;
  return partitions === null
    ? topicUnknown(topic, known)
    : partitionUnknown(topic, partition, partitions);
}
