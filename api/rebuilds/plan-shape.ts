import { type Static, Type } from "typebox";

import type { RebuildFrom, RebuildPlan, RebuildProgress } from "../../engine/ports/rebuilds.ts";
import { iso, nullable } from "../shapes.ts";

const Count = Type.Integer({ minimum: 0 });
const Time = Type.String({ format: "date-time" });
/** Offsets are larger than JSON's numbers are exact. */
const OffsetText = Type.String({ pattern: "^[0-9]+$" });

export const From = Type.Union([
  Type.Object({ kind: Type.Literal("earliest") }),
  Type.Object({ kind: Type.Literal("time"), at: Time }),
  Type.Object({
    kind: Type.Literal("positions"),
    offsets: Type.Array(
      Type.Object({ topic: Type.String(), partition: Count, offset: OffsetText }),
    ),
  }),
]);

export function fromShape(from: RebuildFrom): Static<typeof From> {
  switch (from.kind) {
    case "earliest":
      return { kind: "earliest" };
    case "time":
      return { kind: "time", at: iso(from.atMs) };
    case "positions":
      return {
        kind: "positions",
        offsets: from.offsets.map((one) => ({ ...one, offset: String(one.offset) })),
      };
    default:
      return from satisfies never;
  }
}

export const Plan = Type.Object({
  start: Type.Union([
    Type.Object({ kind: Type.Literal("beginning") }),
    Type.Object({ kind: Type.Literal("snapshot"), snapshot: Type.String(), takenAt: Time }),
    Type.Object({ kind: Type.Literal("cold") }),
  ]),
  partitions: Type.Array(
    Type.Object({
      topic: Type.String(),
      partition: Count,
      from: OffsetText,
      end: OffsetText,
      start: OffsetText,
      taken: OffsetText,
      events: Count,
      bytes: nullable(Type.Number()),
    }),
  ),
  events: Count,
  bytes: nullable(Type.Number()),
  seconds: nullable(Type.Number()),
  schemas: Type.Array(Type.String()),
  warnings: Type.Array(Type.String()),
});

export function planShape(plan: RebuildPlan): Static<typeof Plan> {
  return {
    start: startShape(plan.start),
    partitions: plan.partitions.map(({ topic, partition, events, bytes, ...offsets }) => ({
      topic,
      partition,
      from: String(offsets.from),
      end: String(offsets.end),
      start: String(offsets.start),
      taken: String(offsets.taken),
      events,
      bytes: bytes ?? null,
    })),
    events: plan.events,
    bytes: plan.bytes ?? null,
    seconds: plan.seconds ?? null,
    schemas: [...plan.schemas],
    warnings: [...plan.warnings],
  };
}

function startShape(start: RebuildPlan["start"]): Static<typeof Plan>["start"] {
  if (start.kind !== "snapshot") return { kind: start.kind };
  return { kind: "snapshot", snapshot: String(start.snapshot), takenAt: iso(start.takenAtMs) };
}

export const Progress = Type.Object({
  done: Count,
  total: Count,
  recordsPerSecond: Type.Number(),
  liveLagMs: Type.Number(),
  liveLagMaxMs: Type.Number(),
  throttledMs: Type.Number(),
  waiting: nullable(Type.String({ description: "Why it does nothing now." })),
});

export const progressShape = ({ waiting, ...rest }: RebuildProgress): Static<typeof Progress> => ({
  ...rest,
  waiting: waiting ?? null,
});
