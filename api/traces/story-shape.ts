import { type Static, Type } from "typebox";

import type { AnyRow } from "../../engine/columns.ts";
import { changedColumns } from "../../engine/history/changed-columns.ts";
import type { RowStep, RowStory } from "../../engine/history/row-story.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { iso } from "../shapes.ts";
import { plainJson } from "./plain-json.ts";

const Row = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]);

const Change = Type.Object({
  column: Type.String(),
  before: Type.Unknown({ description: "null where there was no row, too." }),
  after: Type.Unknown(),
});

const Step = Type.Object({
  by: Type.String({ description: "The event's type; of row changes upsert or delete." }),
  topic: Type.String(),
  partition: Type.Integer(),
  sequence: Type.Optional(Type.Integer()),
  offset: Type.Optional(Type.Integer()),
  recordedAt: Type.String({ format: "date-time" }),
  eventId: Type.Optional(Type.String()),
  correlationId: Type.Optional(Type.String()),
  applied: Type.Optional(Type.Boolean({ description: "What serves has come to it." })),
  removes: Type.Boolean({ description: "There is no row after it." }),
  changes: Type.Array(Change),
});

export const StoryShape = Type.Object({
  projection: Type.String(),
  key: Type.String(),
  source: Type.String({ description: "event store or log" }),
  earlier: Type.Integer({ description: "Records before those that are told." }),
  steps: Type.Array(Step),
  row: Row,
  stored: Type.Optional(
    Type.Object({
      generation: Type.Integer(),
      row: Row,
      expected: Row,
      differs: Type.Boolean(),
    }),
  ),
});

export function storyShape(
  projection: AnyProjection,
  key: string,
  story: RowStory,
): Static<typeof StoryShape> {
  const { source, earlier, steps, row, stored } = story;
  return {
    projection: projection.name,
    key,
    source,
    earlier,
    steps: steps.map((step) => stepShape(projection, step)),
    row: rowShape(row),
    ...(stored === undefined
      ? {}
      : {
          stored: { ...stored, row: rowShape(stored.row), expected: rowShape(stored.expected) },
        }),
  };
}

function stepShape(projection: AnyProjection, step: RowStep): Static<typeof Step> {
  const { by, topic, partition, sequence, offset, event, isApplied, before, after } = step;
  return {
    by,
    topic,
    partition,
    ...(sequence > 0 ? { sequence } : { offset }),
    recordedAt: iso(step.recordedAtMs),
    ...(event === undefined ? {} : { eventId: event.id, correlationId: event.correlationId }),
    ...(isApplied === undefined ? {} : { applied: isApplied }),
    removes: after === undefined,
    changes: changedColumns(projection, before, after).map((change) => ({
      column: change.column,
      before: plainJson(change.before),
      after: plainJson(change.after),
    })),
  };
}

const rowShape = (row: AnyRow | undefined): Static<typeof Row> =>
  row === undefined ? null : (plainJson(row) as Record<string, unknown>);
