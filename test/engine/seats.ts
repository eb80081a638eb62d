import { integer, text } from "../../engine/columns.ts";
import { defineProjection } from "../../engine/projection.ts";
import { type GivenEvent, happened } from "../../engine/testing/given.ts";
import { defineTopic, type EventType } from "../../engine/topic.ts";

/** A small domain for the engine's own tests: counters that are opened, moved and closed. */
function eventType<Event>() {
  return <Name extends string>(name: Name): EventType<Name, Event> => ({
    name,
    fullName: `test.${name}`,
    schema: { type: "record", name, fields: [{ name: "code", type: "string" }] },
  });
}

export const Opened = eventType<{ code: string; size: number }>()("Opened");
export const Moved = eventType<{ code: string; by: number }>()("Moved");
export const Closed = eventType<{ code: string }>()("Closed");
export const Noted = eventType<{ code: string; note: string }>()("Noted");
export const Changed = eventType<{ code: string; held: number }>()("Changed");

export const counters = defineTopic({
  name: "counters",
  key: "code",
  partitions: 4,
  events: [Opened, Moved, Closed],
});

export const notes = defineTopic({
  name: "notes",
  key: "code",
  partitions: 4,
  events: [Noted],
  tags: { code: "note" },
});

export const changes = defineTopic({
  name: "changes",
  key: "code",
  partitions: 4,
  events: [Changed],
});

export const board = defineProjection({
  name: "board",
  version: 1,
  from: counters,
  row: { code: text(), size: integer(), held: integer(), moves: integer() },
  key: "code",
  on: {
    Opened: (_, e) => ({ code: e.code, size: e.size, held: 0, moves: 0 }),
    Moved: (row, e) => row && { ...row, held: row.held + e.by, moves: row.moves + 1 },
    Closed: () => undefined,
  },
  notify: {
    to: changes,
    type: Changed,
    event: (row, before) => {
      const code = (row ?? before)?.code;
      return code === undefined ? undefined : { code, held: row?.held ?? -1 };
    },
  },
});

/** Made so that the order between its two topics doesn't matter. */
export const tally = defineProjection({
  name: "tally",
  version: 1,
  from: [counters, notes],
  row: { code: text(), moved: integer(), notes: integer() },
  key: "code",
  on: {
    Opened: "ignore",
    Moved: (row, e) => ({
      code: e.code,
      moved: (row?.moved ?? 0) + e.by,
      notes: row?.notes ?? 0,
    }),
    Closed: "ignore",
    Noted: (row, e) => ({ code: e.code, moved: row?.moved ?? 0, notes: (row?.notes ?? 0) + 1 }),
  },
});

const codes = ["a", "b", "c", "d", "e", "f", "g", "ü€"];

/** A history from random numbers: openings, moves, closings, over all the codes. */
export function history(numbers: readonly number[]): GivenEvent[] {
  return numbers.map((number) => {
    const code = codes[number % codes.length] as string;
    const kind = Math.floor(number / codes.length) % 8;
    if (kind === 0) return happened(Opened, { code, size: number });
    if (kind === 1) return happened(Closed, { code });
    return happened(Moved, { code, by: (number % 5) - 2 });
  });
}

export function withNotes(events: readonly GivenEvent[]): GivenEvent[] {
  return events.map((given, at) =>
    at % 3 === 0
      ? happened(Noted, { code: (given.event as { code: string }).code, note: `n${at}` })
      : given,
  );
}
