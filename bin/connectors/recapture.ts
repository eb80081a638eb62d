import {
  LogCaptureSink,
  PostgresCaptureSink,
  recapture,
  type CaptureOptions,
} from "../../connectors/capture/index.ts";
import type { ApplyOptions, DebeziumConnector } from "../../connectors/debezium/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { captureOptions } from "../system/capture.ts";
import type { Definitions } from "../system/definitions.ts";
import type { Stores } from "../system/stores.ts";

export interface RecapturePart {
  readonly definitions: Definitions;
  readonly stores: Stores;
  readonly url: string;
  readonly signal: AbortSignal;
}

/** Publishes for a connector what it can't: with the embedded capture's own code, into Kafka. */
export function recaptureFor(part: RecapturePart): ApplyOptions["recapture"] {
  const { log } = part.stores;
  const { signal } = part;
  return (connector) => recapture({ capture: captureAs(connector, part), log, signal });
}

/** The application's capture, of what the connector reads alone. */
function captureAs(connector: DebeziumConnector, part: RecapturePart): CaptureOptions {
  const { pool, log } = part.stores;
  const { slot, publication } = connector;
  const all = captureOptions({ ...part, metrics: noMetrics }, pool);
  const isRead = (name: string): boolean => connector.tables.includes(name);
  return {
    ...all,
    slot,
    publication,
    // As the connectors' names and topics begin.
    prefix: part.definitions.slotName,
    sink: new LogCaptureSink({ log, positions: new PostgresCaptureSink({ pool, slot }) }),
    tables: all.tables.filter(({ name }) => isRead(name)),
    outboxTables: all.outboxTables?.filter(isRead) ?? [],
  };
}
