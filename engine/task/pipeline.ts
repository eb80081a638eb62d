import type { Columns } from "../columns.ts";
import { changeColumns } from "../change/presence.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { AnyProcessor } from "../processor.ts";
import type { AnyProjection } from "../projection.ts";
import type { AnyTopic } from "../topic.ts";
import { ChangeIntake } from "./change-intake.ts";
import { EventIntake } from "./event-intake.ts";
import { changeFolder, CurrentMeta, eventFolder, type Folder } from "./folder.ts";
import { HotRows } from "./hot-rows.ts";
import type { Intake, IntakeNeeds } from "./intake.ts";
import type { TaskLimits } from "./limits.ts";
import {
  changeReactor,
  changeStateColumns,
  Emissions,
  eventReactor,
  type ReactorOptions,
} from "./reactor.ts";
import { Staged } from "./staged.ts";
import { Suspects } from "./suspects.ts";

/** A definition made ready to run: how its records are decoded and folded. */
export interface Pipeline {
  readonly kind: "projection" | "processor";
  readonly name: string;
  readonly topics: readonly AnyTopic[];
  /** Of a projection; 0 for a processor. */
  readonly generation: number;
  readonly onRecordError: "halt" | "park";
  readonly intake: Intake;
  readonly folder: Folder<unknown>;
  readonly staged: Staged<unknown>;
  readonly rows: HotRows;
  readonly meta: CurrentMeta;
  readonly suspects: Suspects;
  /** Only of processors. */
  readonly emissions: Emissions | undefined;
}

export interface PipelineOptions {
  readonly codec: EventCodec;
  readonly limits: TaskLimits;
  /** Of a projection (default 0). */
  readonly generation?: number;
  /** Where the definition doesn't say (default `halt`). */
  readonly onRecordError?: "halt" | "park";
  /**
   * Only events of records with this key are folded. For a projection of events, a row of which has
   * the key of its records.
   */
  readonly onlyKey?: Uint8Array | undefined;
}

export const topicsOf = (definition: AnyProjection | AnyProcessor): readonly AnyTopic[] =>
  definition.kind === "events" ? definition.from : [definition.from];

/** The columns that a store keeps for a projection: its own, and the engine's where it needs some. */
export function storedColumns(projection: AnyProjection): Columns {
  if (projection.kind === "events") return projection.row;
  return { ...projection.row, ...changeColumns };
}

/** The columns that a store keeps for a processor; undefined: nothing. */
export function storedState(processor: AnyProcessor): Columns | undefined {
  return processor.kind === "events" ? processor.state : changeStateColumns(processor.state);
}

export function projectionPipeline(projection: AnyProjection, options: PipelineOptions): Pipeline {
  const base = parts(projection, options);
  const { row } = projection;
  const folder = projection.kind === "events" ? eventFolder(row, base.meta) : undefined;
  return {
    ...base,
    kind: "projection",
    intake: intakeOf(projection, {
      ...options,
      ...base,
      originsMax: originsForNotices(projection),
    }),
    folder: (folder ?? changeFolder(row, base.meta)) as Folder<unknown>,
    emissions: undefined,
  };
}

export function processorPipeline(processor: AnyProcessor, options: PipelineOptions): Pipeline {
  const base = parts(processor, options);
  const emissions = new Emissions(processor.name, base.meta);
  const reactor: ReactorOptions = { state: processor.state, meta: base.meta, emissions };
  const folder = processor.kind === "events" ? eventReactor(reactor) : undefined;
  return {
    ...base,
    kind: "processor",
    intake: intakeOf(processor, { ...options, ...base, originsMax: Number.POSITIVE_INFINITY }),
    folder: (folder ?? changeReactor(reactor)) as Folder<unknown>,
    emissions,
  };
}

/**
 * Notices go on in the trace of an event that they tell of. Reading its envelope costs as much as
 * folding it: a few of each chunk are all where work is live, and next to none while it catches up.
 */
const originsForNotices = ({ notify }: AnyProjection): number => (notify === undefined ? 0 : 256);

interface IntakeParts extends PipelineOptions {
  readonly staged: Staged<unknown>;
  readonly rows: HotRows;
  readonly originsMax: number;
}

function parts(definition: AnyProjection | AnyProcessor, options: PipelineOptions) {
  const { limits, generation = 0 } = options;
  const { name, onRecordError = options.onRecordError ?? "halt" } = definition;
  const staged = new Staged<unknown>(limits.chunkRecordsMax);
  const rows = new HotRows(limits.hotRowsMax);
  const meta = new CurrentMeta();
  const suspects = new Suspects();
  const topics = topicsOf(definition);
  return { name, topics, generation, onRecordError, staged, rows, meta, suspects };
}

function intakeOf(definition: AnyProjection | AnyProcessor, options: IntakeParts): Intake {
  const { codec, staged, rows, onlyKey } = options;
  const needs: IntakeNeeds = { originsMax: options.originsMax };
  if (definition.kind === "changes") {
    const { from: topic, key, on } = definition;
    return new ChangeIntake({ codec, topic, key, on, staged, rows, needs });
  }
  const on: Readonly<Record<string, unknown>> = definition.on;
  return new EventIntake({
    codec,
    topics: definition.from,
    key: definition.key,
    on,
    staged,
    rows,
    needs,
    onlyKey,
  });
}
