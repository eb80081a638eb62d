import { expectTypeOf, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { defineProcessor } from "../../engine/processor.ts";
import { defineProjection } from "../../engine/projection.ts";
import { counters, notes } from "./seats.ts";

/** What the compiler refuses stands here: each line without its error is an error itself. */
const base = { version: 1, row: { code: text(), n: integer() }, key: "code" } as const;

test("the events of several topics are known without naming them", () => {
  const both = defineProjection({
    ...base,
    name: "both",
    from: [counters, notes],
    on: {
      Opened: (_, e) => {
        expectTypeOf(e).toEqualTypeOf<{ code: string; size: number }>();
        return { code: e.code, n: e.size };
      },
      Moved: (row, e) => {
        expectTypeOf(row).toEqualTypeOf<
          { readonly code: string; readonly n: number } | undefined
        >();
        return row && { ...row, n: row.n + e.by };
      },
      Closed: "ignore",
      Noted: (row, e) => row && { ...row, code: e.note },
    },
  });
  expectTypeOf(both.on.Noted).not.toBeAny();
});

test("a wrong field, a missing and a strange event type don't compile", () => {
  const ignored = { Opened: "ignore", Moved: "ignore", Closed: "ignore" } as const;
  defineProjection({
    ...base,
    name: "wrong-field",
    from: [counters, notes],
    on: {
      ...ignored,
      // @ts-expect-error -- a note has no size
      Noted: (_, e) => ({ code: e.code, n: e.size }),
    },
  });
  defineProjection({
    ...base,
    name: "wrong-row",
    from: [counters, notes],
    // @ts-expect-error -- the row lacks n
    on: { ...ignored, Noted: (_, e) => ({ code: e.code }) },
  });
  defineProjection({
    ...base,
    name: "missing",
    from: [counters, notes],
    // @ts-expect-error -- Noted is left unnamed
    on: ignored,
  });
  defineProjection({
    ...base,
    name: "missing-in-one",
    from: counters,
    // @ts-expect-error -- Closed is left unnamed
    on: { Opened: "ignore", Moved: "ignore" },
  });
  defineProjection({
    ...base,
    name: "strange",
    from: counters,
    on: {
      ...ignored,
      // @ts-expect-error -- the topic has no such event
      Noted: "ignore",
    },
  });
  defineProcessor({
    name: "reacts",
    from: [counters, notes],
    key: "code",
    on: {
      ...ignored,
      // @ts-expect-error -- a note has no size
      Noted: (_, e) => void e.size,
    },
  });
});
