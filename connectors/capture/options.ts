import type { BackoffOptions } from "../../engine/backoff.ts";
import { defaultBackoff } from "../../engine/backoff.ts";
import type { CaptureSink } from "../../engine/ports/capture-sink.ts";
import type { Clock, Random } from "../../engine/ports/clock.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import type { EventRouter } from "./routing/event-router.ts";
import { defaultStreamShape, type StreamShape } from "./routing/stream-shape.ts";
import {
  defaultSnapshotPlan,
  type SignalTable,
  type SnapshotPlan,
} from "./server/snapshot-plan.ts";
import { parseTableName, topicName } from "./tables/names.ts";
import type {
  ColumnSelection,
  NameAdjustment,
  PublicationMode,
  TableSelection,
} from "./tables/selection.ts";
import { defaultValueModes, type ValueModes } from "./types/value-modes.ts";
import type { RecordToAppend } from "../../engine/ports/record-log.ts";

export interface CapturedTable {
  /** `schema.table` */
  readonly name: string;
  /** Partitions of its topic, `<prefix>.<schema>.<table>`, which the log must have already. */
  readonly partitions: number;
}

export interface CaptureLimits {
  /** Bytes received ahead of the reader before the socket is paused. */
  readonly receivedBytesMax: number;
  /** Records of a batch at which the stream waits for the publish in flight. */
  readonly batchRecordsMax: number;
  /** The same in bytes of keys and values. */
  readonly batchBytesMax: number;
  /** Rows of the snapshot that are read and published at a time. */
  readonly snapshotRowsMax: number;
  /** How often the server is told what is published. */
  readonly statusIntervalMs: number;
  /** How long to wait for a slot that another connection reads (a killed predecessor's, say). */
  readonly slotWaitMs: number;
  /** WAL without captured changes that may pile up before the position is moved past it at once. */
  readonly idleWalBytesMax: number;
  /** Less of it is passed after this time: how often an idle capture's position moves at most. */
  readonly idleIntervalMs: number;
  readonly connectTimeoutMs: number;
  /** Tries to connect again after a failure; a publish that succeeds begins the count anew. */
  readonly reconnect: BackoffOptions;
}

export interface CaptureOptions {
  /** Connection URL of a role with REPLICATION that owns the captured tables. */
  readonly url: string;
  readonly sink: CaptureSink;
  readonly registry: SchemaRegistry;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly tables: readonly CapturedTable[];
  /** Tables to find in the catalogue at the start, beside those that are listed. */
  readonly selection?: TableSelection;
  readonly columns?: ColumnSelection;
  readonly names?: NameAdjustment;
  readonly values?: Partial<ValueModes>;
  readonly stream?: Partial<StreamShape>;
  readonly snapshot?: Partial<SnapshotPlan>;
  readonly signals?: SignalTable;
  readonly publicationMode?: PublicationMode;
  /** Captured tables are outbox tables in the Outbox Event Router's shape. */
  readonly eventRouter?: EventRouter;
  /** Told in the headers `__debezium.context.*`, and in errors. */
  readonly connectorName?: string;
  /**
   * Called with each record in the stream's order, over all topics, before it is published: for
   * tools that compare that order, which a log keeps for each partition only.
   */
  readonly onRecord?: (topic: string, partition: number, record: RecordToAppend) => void;
  /** Tables whose rows are published as records just as they say. */
  readonly outboxTables?: readonly string[];
  /** First part of the topics' names, and the source's name in envelopes. */
  readonly prefix?: string;
  readonly slot?: string;
  readonly publication?: string;
  /** Told in `source.version`. */
  readonly version?: string;
  readonly limits?: Partial<CaptureLimits>;
}

/** The options with all defaults filled in. */
export type CaptureSettings = Required<Omit<CaptureOptions, Partly | Perhaps>> &
  Pick<CaptureOptions, Perhaps> & {
    readonly limits: CaptureLimits;
    /** New at every start. */
    readonly runId: string;
    readonly values: ValueModes;
    readonly stream: StreamShape;
    readonly snapshot: SnapshotPlan;
  };

/** Options whose members have defaults of their own. */
type Partly = "limits" | "values" | "stream" | "snapshot";
/** Options that may be left out for good. */
type Perhaps = "selection" | "signals" | "eventRouter" | "onRecord";

export const defaultCaptureLimits: CaptureLimits = {
  receivedBytesMax: 1_048_576,
  batchRecordsMax: 20_000,
  batchBytesMax: 8_388_608,
  snapshotRowsMax: 5_000,
  statusIntervalMs: 1_000,
  slotWaitMs: 15_000,
  idleWalBytesMax: 16_777_216,
  idleIntervalMs: 2_000,
  connectTimeoutMs: 10_000,
  reconnect: { ...defaultBackoff, attemptsMax: 60 },
};

/**
 * Fills in the defaults and checks the options together.
 *
 * @throws TypeError naming every fault.
 */
export function captureSettings(options: CaptureOptions): CaptureSettings {
  const settings: CaptureSettings = {
    outboxTables: ["refold.events", "refold.notices"],
    prefix: "refold",
    slot: "refold",
    publication: "refold",
    version: "0.1.0",
    connectorName: options.prefix ?? "refold",
    columns: {},
    names: { schemas: "avro", fields: "avro" },
    publicationMode: "filtered",
    runId: options.random.id(),
    ...options,
    values: { ...defaultValueModes, ...options.values },
    stream: { ...defaultStreamShape, ...options.stream },
    snapshot: { ...defaultSnapshotPlan, ...options.snapshot },
    limits: { ...defaultCaptureLimits, ...options.limits },
  };
  const faults = [...settingFaults(settings)];
  if (faults.length > 0) throw new TypeError(`Capture options: ${faults.join("; ")}.`);
  return settings;
}

function* settingFaults(settings: CaptureSettings): Generator<string> {
  const { limits, slot, tables, outboxTables } = settings;
  if (!/^[a-z0-9_]{1,63}$/.test(slot)) {
    yield `slot ${slot} must have at most 63 lower-case letters, digits and underscores`;
  }
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === "number" && !(value > 0)) yield `${name} must be above 0, not ${value}`;
  }
  for (const name of [...outboxTables, ...tables.map((table) => table.name)]) {
    if (!name.includes(".")) yield `table ${name} must be named with its schema`;
  }
  if (!settings.selection && tables.length + outboxTables.length === 0)
    yield "there is no table to capture";
  for (const table of tables) {
    if (!(Number.isInteger(table.partitions) && table.partitions > 0)) {
      yield `partitions of ${table.name} must be a positive integer, not ${table.partitions}`;
    }
  }
  const topics = Map.groupBy(tables, (table) => topicName(settings, parseTableName(table.name)));
  for (const [topic, same] of topics) {
    if (same.length > 1) {
      yield `tables ${same.map((table) => table.name).join(", ")} all make the topic ${topic}`;
    }
  }
}
