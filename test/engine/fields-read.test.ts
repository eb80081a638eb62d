import { describe, expect, test } from "vitest";

import { fieldsRead, narrowed } from "../../engine/task/fields-read.ts";
import type { AnyEventType } from "../../engine/topic.ts";

interface Event {
  readonly id: string;
  readonly at: number;
  readonly note: string;
}

type Row = Readonly<Record<string, unknown>> | undefined;
type Fold = (row: Row, event: Event, ...rest: unknown[]) => unknown;

const handOn = (event: unknown): unknown => event;
const read = (fold: Fold): string[] | undefined => {
  const names = fieldsRead(fold, 1);
  return names && [...names].sort();
};

describe("finds the fields that a fold reads", () => {
  test.each<[string, Fold, string[]]>([
    ["none without the parameter", (row) => row, []],
    ["none of a parameter left alone", (row, _event) => row, []],
    [
      "those behind the parameter's name",
      (row, event) => ({ ...row, a: event.id, b: event?.at }),
      ["at", "id"],
    ],
    ["those of a parameter taken apart", (_, { id, at: time }) => ({ id, time }), ["at", "id"]],
    [
      "those taken apart in the body",
      (row, event) => {
        const { at, note: text } = event;
        return row && { at, text, id: event.id };
      },
      ["at", "id", "note"],
    ],
    ["those read in a function within", (_, event) => [1].map((one) => one + event.at), ["at"]],
    [
      "those of a method",
      {
        folded(this: void, _row: Row, event: Event) {
          return event.note;
        },
      }.folded,
      ["note"],
    ],
  ])("%s", (_, fold, names) => {
    expect(read(fold)).toEqual(names);
  });

  test("of a key's function, by its only parameter", () => {
    expect([...(fieldsRead((event: Event) => event.id, 0) ?? [])]).toEqual(["id"]);
  });
});

describe("takes all fields to be read where a fold", () => {
  test.each<[string, Fold]>([
    ["hands the event on", (_, event) => handOn(event)],
    ["spreads it", (_, event) => ({ ...event })],
    ["gives it another name", (_, event) => [event].map((other) => other.id)],
    ["asks by a name that it computes", (row, event) => event[row ? "id" : "note"]],
    ["takes the rest of it apart", (_, { id, ...rest }) => [id, rest]],
    ["has a default for one", (_, event, other = event.at) => other],
    ["takes all parameters as a list", (...all) => all],
    [
      "uses the list of its arguments",
      function fold(_row: Row, _event: Event) {
        // oxlint-disable-next-line prefer-rest-params
        return arguments[1] as unknown;
      },
    ],
    ["has no source that is told", Math.max as unknown as Fold],
  ])("%s", (_, fold) => {
    expect(read(fold)).toBeUndefined();
  });
});

describe("an event type as its readers need it", () => {
  const type: AnyEventType = {
    name: "Noted",
    fullName: "test.Noted",
    schema: {
      type: "record",
      name: "Noted",
      fields: [
        { name: "id", type: "string" },
        { name: "kind", type: { type: "enum", name: "Kind", symbols: ["A"] } },
        { name: "at", type: "long" },
        { name: "note", type: "string" },
      ],
    },
  };
  const names = (of: AnyEventType): string[] => of.schema.fields.map(({ name }) => name);
  const by = (of: Fold) => [{ of, eventAt: 1 }];

  test("keeps the key, what the fold reads, and fields whose types others may refer to", () => {
    expect(
      names(
        narrowed(
          type,
          by((_, event) => event.at),
          ["id"],
        ),
      ),
    ).toEqual(["id", "kind", "at"]);
  });

  test("stays as it is where what is read is no field: it may lead to all of them", () => {
    expect(
      narrowed(
        type,
        by((_, event) => event.valueOf()),
        ["id"],
      ),
    ).toBe(type);
  });
});
