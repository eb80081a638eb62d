import { expect, test } from "vitest";

import { AvroWriter } from "../../connectors/capture/avro-writer.ts";
import { connectText, type TextStyle } from "../../connectors/capture/routing/connect-text.ts";
import { javaDouble, javaFloat } from "../../connectors/capture/routing/java-numbers.ts";
import type { AvroType } from "../../connectors/capture/types/converter.ts";

test.each([
  [0, "0.0"],
  [-0, "-0.0"],
  [1, "1.0"],
  [-12.5, "-12.5"],
  [0.001, "0.001"],
  [0.0001, "1.0E-4"],
  [9_999_999, "9999999.0"],
  [10_000_000, "1.0E7"],
  [1.23456789125e8, "1.23456789125E8"],
  [1e21, "1.0E21"],
  [5e-324, "5.0E-324"],
  [Number.NaN, "NaN"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
])("the double %d is written as Java does", (value, text) => {
  expect(javaDouble(value)).toBe(text);
});

test("a float is written with the digits that it needs", () => {
  expect(javaFloat(Math.fround(0.1))).toBe("0.1");
  expect(javaFloat(Math.fround(1e-7))).toBe("1.0E-7");
  expect(javaFloat(16_777_216)).toBe("1.6777216E7");
});

const row = {
  type: "record",
  name: "Row",
  fields: [
    { name: "t", type: ["null", "string"] },
    { name: "n", type: ["null", "int"] },
    { name: "l", type: { type: "array", items: ["null", "string"] } },
    { name: "d", type: { type: "int", "connect.name": "org.apache.kafka.connect.data.Date" } },
  ],
} as unknown as AvroType;

function encodedRow(): Buffer {
  const to = new AvroWriter(1_024);
  to.byte(2);
  to.string('a "b" \\ c');
  to.byte(0);
  to.long(2);
  to.byte(2);
  to.string("x");
  to.byte(0);
  to.long(0);
  to.long(19_782);
  return to.finish();
}

test.each<[TextStyle, string]>([
  ["header", '{"t":"a \\"b\\" \\\\ c","n":null,"l":["x",null],"d":2024-02-29}'],
  ["json", '{"t":"a \\"b\\" \\\\ c","n":null,"l":["x",null],"d":19782}'],
])("a record is written in the style %s", (style, text) => {
  expect(connectText(row, encodedRow(), style)).toBe(text);
});

test("Java's own text leaves out fields that are null", () => {
  const text = connectText(row, encodedRow(), "java");
  expect(text).toBe('Struct{t=a "b" \\ c,l=[x, null],d=2024-02-29}');
});

test("an outermost null is no text, and a text stands without quotes in a header", () => {
  const to = new AvroWriter(64);
  to.byte(0);
  expect(connectText(["null", "string"], to.finish(), "header")).toBeNull();
  to.byte(2);
  to.string("plain");
  expect(connectText(["null", "string"], to.finish(), "header")).toBe("plain");
});
