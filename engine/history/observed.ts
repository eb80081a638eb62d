import type { AnyRow } from "../columns.ts";
import { unavailableValue } from "../change/unavailable.ts";
import type {
  AnyProjection,
  ErasedChangeProjection,
  ErasedEventProjection,
  RecordMeta,
} from "../projection.ts";

/** What one record did to its row. */
export interface ObservedStep extends RecordMeta {
  /** The event type's short name; of row changes `upsert` or `delete`. */
  readonly by: string;
  readonly before: AnyRow | undefined;
  readonly after: AnyRow | undefined;
}

type See = (step: ObservedStep) => void;
type AnyFold = (row: AnyRow | undefined, event: unknown, meta: RecordMeta) => AnyRow | undefined;

/** The same projection, which tells of each of its folds. */
export const observed = (projection: AnyProjection, see: See): AnyProjection =>
  projection.kind === "events" ? ofEvents(projection, see) : ofChanges(projection, see);

function ofEvents(projection: ErasedEventProjection, see: See): ErasedEventProjection {
  const on = Object.entries(projection.on).map(([by, fold]) => {
    if (fold === "ignore") return [by, fold] as const;
    const told: AnyFold = (before, event, meta) => {
      const after = (fold as AnyFold)(before, event, meta);
      see({ ...meta, by, before, after });
      return after;
    };
    return [by, told] as const;
  });
  return { ...projection, on: Object.fromEntries(on) };
}

function ofChanges(projection: ErasedChangeProjection, see: See): ErasedChangeProjection {
  const { upsert, delete: remove } = projection.on;
  const own = (row: AnyRow | undefined, held?: AnyRow): AnyRow | undefined =>
    row && ownColumns(projection, row, held);
  const told: AnyFold = (before, source, meta) => {
    const after = (upsert as AnyFold)(before, source, meta);
    see({ ...meta, by: "upsert", before: own(before), after: own(after, before) });
    return after;
  };
  const toldRemove = (before: AnyRow, meta: RecordMeta): AnyRow | undefined => {
    const after = (remove as (row: AnyRow, meta: RecordMeta) => AnyRow | undefined)(before, meta);
    see({ ...meta, by: "delete", before: own(before), after: own(after, before) });
    return after;
  };
  return { ...projection, on: { upsert: told, delete: toldRemove } };
}

/** Without the engine's columns; a value that the change doesn't tell is the one that was there. */
function ownColumns(
  { row: columns }: ErasedChangeProjection,
  row: AnyRow,
  held: AnyRow | undefined,
): AnyRow {
  return Object.fromEntries(
    Object.keys(columns).map((name) => {
      const value = row[name] ?? null;
      return [name, value === unavailableValue ? (held?.[name] ?? null) : value];
    }),
  );
}
