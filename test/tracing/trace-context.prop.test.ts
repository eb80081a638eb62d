import { array, assert, constantFrom, pre, property, string, uuid } from "fast-check";
import { describe, expect, it } from "vitest";

import {
  carriedTraceparent,
  childTraceparent,
  parseTraceparent,
  spanIdOf,
  traceIdOf,
  traceparentOf,
} from "../../engine/tracing/trace-context.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

const digits = (length: number) =>
  array(constantFrom(...Array.from("0123456789abcdef")), {
    minLength: length,
    maxLength: length,
  }).map((all) => all.join(""));

describe("a traceparent", () => {
  it("is read and written alike", () => {
    assert(
      property(digits(32), digits(16), digits(2), (traceId, spanId, flags) => {
        pre(!/^0+$/.test(traceId) && !/^0+$/.test(spanId));
        const context = { traceId, spanId, flags };
        expect(parseTraceparent(traceparentOf(context))).toEqual(context);
      }),
    );
  });

  it("of a later version counts by its first four fields", () => {
    const later = parseTraceparent(`01-${trace}-${span}-01-what-comes-then`);
    expect(later).toEqual({ traceId: trace, spanId: span, flags: "01" });
  });

  it.each([
    ["nothing", ""],
    ["another text", "rush-7"],
    ["a trace id of zeros", `00-${"0".repeat(32)}-${span}-01`],
    ["a parent id of zeros", `00-${trace}-${"0".repeat(16)}-01`],
    ["the version that is none", `ff-${trace}-${span}-01`],
    ["capital letters", `00-${trace.toUpperCase()}-${span}-01`],
    ["a fifth field in the version that has four", `00-${trace}-${span}-01-x`],
    ["a short trace id", `00-${trace.slice(1)}-${span}-01`],
    ["space around it", ` 00-${trace}-${span}-01`],
  ])("is not read from %s", (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe("a trace", () => {
  it("goes on with a span of its own where one came along", () => {
    const traceparent = `00-${trace}-${span}-00`;
    const child = childTraceparent({ correlationId: "any", traceparent }, "00f067aa0ba902b7");
    expect(child).toBe(`00-${trace}-00f067aa0ba902b7-00`);
  });

  it("begins, always the same one for a correlation id, where none came along", () => {
    assert(
      property(string(), uuid(), (correlationId, eventId) => {
        const made = parseTraceparent(childTraceparent({ correlationId }, spanIdOf(eventId)));
        expect(made).toMatchObject({
          traceId: traceIdOf(correlationId),
          spanId: spanIdOf(eventId),
        });
        const carried = parseTraceparent(carriedTraceparent({ correlationId, traceparent: "no" }));
        expect(carried?.traceId).toBe(made?.traceId);
      }),
    );
  });

  it("has the digits of a correlation id that is a UUID or a trace id already", () => {
    expect(traceIdOf("0AF76519-16cd-43dd-8448-eb211c80319c")).toBe(trace);
    expect(traceIdOf(trace)).toBe(trace);
    expect(traceIdOf("00000000-0000-0000-0000-000000000000")).not.toMatch(/^0+$/);
  });
});
