import { expect, test } from "vitest";

import { AvroWriter } from "../../connectors/capture/avro-writer.ts";
import { converterOf, type ColumnType } from "../../connectors/capture/types/resolve.ts";
import type { Converter } from "../../connectors/capture/types/converter.ts";
import { defaultValueModes, type ValueModes } from "../../connectors/capture/types/value-modes.ts";
import { readDefault } from "../../connectors/capture/tables/defaults.ts";
import { avroName } from "../../connectors/capture/tables/names.ts";
import { FatalError } from "../../engine/errors.ts";

const modes = defaultValueModes;
const numeric = (precision: number, scale: number): number => ((precision << 16) | scale) + 4;

function write(type: Partial<ColumnType> & { readonly name: string }, text: string): string {
  const given = { schema: "pg_catalog", modifier: -1, array: false, ...type };
  const converter = converterOf(given, modes);
  if (!converter) throw new Error(`no converter for ${type.name}`);
  const writer = new AvroWriter();
  const bytes = Buffer.from(text, "utf8");
  converter.write(writer, bytes, 0, bytes.length);
  return writer.finish().toString("hex");
}

/** Avro's form of a text. */
const textOf = (value: string): string =>
  Buffer.concat([Buffer.from([Buffer.byteLength(value) * 2]), Buffer.from(value)]).toString("hex");

/** Avro's form of an int or long (zigzag, base 128), by Avro's own definition. */
function longOf(value: bigint): string {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]).toString("hex");
}

test.each([
  ["int4", "-2147483648", -2_147_483_648n],
  ["int8", "9223372036854775807", 9_223_372_036_854_775_807n],
  ["int8", "-9223372036854775808", -9_223_372_036_854_775_808n],
  ["int8", "9007199254740993", 9_007_199_254_740_993n],
  ["int8", "4294967296", 4_294_967_296n],
  ["oid", "4294967295", 4_294_967_295n],
  ["date", "2024-02-29", 19_782n],
  ["date", "1969-12-31", -1n],
  ["date", "0044-03-15 BC", -735_160n],
  ["timestamp", "2024-02-29 12:34:56.789012", 1_709_210_096_789_012n],
  ["time", "24:00:00", 86_400_000_000n],
  ["interval", "1 year 2 mons 3 days 04:05:06.789012", 37_091_106_789_012n],
  ["interval", "-1 mons +2 days -00:00:00.000001", -2_457_000_000_001n],
])("%s %s is a long", (name, text, expected) => {
  expect(write({ name }, text)).toBe(longOf(expected));
});

test("times with three decimals or fewer are milliseconds", () => {
  expect(write({ name: "timestamp", modifier: 3 }, "1969-12-31 23:59:59.999")).toBe(longOf(-1n));
  expect(write({ name: "time", modifier: 0 }, "12:34:56")).toBe(longOf(45_296_000n));
});

test.each([
  ["timestamptz", -1, "2024-02-29 10:34:56.1+00", "2024-02-29T10:34:56.100000Z"],
  ["timestamptz", 3, "2024-02-29 10:34:56.789+00", "2024-02-29T10:34:56.789Z"],
  ["timestamptz", 0, "12024-02-29 10:34:56+00", "+12024-02-29T10:34:56Z"],
  ["timetz", -1, "12:34:56.789012+05:30", "07:04:56.789012Z"],
  ["timetz", -1, "00:00:00+15:59", "08:01:00Z"],
  ["jsonb", -1, '{"a": 1}', '{"a": 1}'],
  ["bpchar", 9, "ab   ", "ab   "],
])("%s(%s) %s is the text %s", (name, modifier, text, expected) => {
  expect(write({ name, modifier }, text)).toBe(textOf(expected));
});

test.each([
  [numeric(10, 2), "12345678.90", "08499602d2"],
  [numeric(10, 2), "-0.01", "02ff"],
  [numeric(10, 2), "0.00", "0200"],
  [numeric(10, 2), "1.28", "040080"],
  [numeric(10, 2), "-1.28", "0280"],
  [numeric(20, 0), "99999999999999999999", "12056bc75e2d630fffff"],
])("numeric of modifier %s %s is its unscaled bytes", (modifier, text, expected) => {
  expect(write({ name: "numeric", modifier }, text)).toBe(expected);
});

test("a numeric without scale brings its own, without trailing zeros", () => {
  expect(write({ name: "numeric" }, "123.4500")).toBe("04043039");
  expect(write({ name: "numeric" }, "100")).toBe("000264");
  expect(write({ name: "numeric" }, "10.0")).toBe("00020a");
});

test("arrays keep NULL, the text NULL, quotes and the empty text apart", () => {
  const written = write({ name: "text", array: true }, String.raw`{a,NULL,"","NULL","q\"x,y"}`);
  const items = ["a", "", "NULL", 'q"x,y'].map((text) => `02${textOf(text)}`);
  expect(written).toBe(`0a${items[0]}00${items[1]}${items[2]}${items[3]}00`);
});

test.each([
  ["numeric", "NaN"],
  ["numeric", "-Infinity"],
  ["date", "infinity"],
  ["timestamp", "294276-12-31 23:59:59.999999"],
])("%s %s is refused, not garbled", (name, text) => {
  const modifier = name === "numeric" ? numeric(10, 2) : -1;
  expect(() => write({ name, modifier }, text)).toThrow(FatalError);
});

test("arrays of two dimensions, and enum arrays with NULL, are refused where they come", () => {
  expect(() => write({ name: "int4", array: true }, "{{1,2},{3,4}}")).toThrow(/int4\[\]\[\]/);
  const mood = { name: "mood", schema: "public", array: true, labels: ["sad", "ok"] };
  expect(() => write(mood, "{ok,NULL}")).toThrow(FatalError);
  expect(write(mood, "{ok}")).toBe(`02${textOf("ok")}00`);
});

test.each(["box", "int4multirange", "pg_lsn", "xid8"])("%s has no converter", (name) => {
  const type = { name, schema: "pg_catalog", modifier: -1, array: false };
  expect(converterOf(type, modes)).toBeUndefined();
});

function inMode(
  type: Partial<ColumnType> & { readonly name: string },
  changed: Partial<ValueModes>,
): Converter {
  const given = { schema: "pg_catalog", modifier: -1, array: false, ...type };
  const converter = converterOf(given, { ...modes, ...changed });
  if (!converter) throw new Error(`no converter for ${type.name}`);
  return converter;
}

function written(converter: Converter, text: string): string {
  const writer = new AvroWriter();
  const bytes = Buffer.from(text, "utf8");
  converter.write(writer, bytes, 0, bytes.length);
  return writer.finish().toString("hex");
}

test.each<[string, number, Partial<ValueModes>, string, string]>([
  ["numeric", numeric(10, 2), { decimal: "string" }, "1.50", "1.50"],
  ["numeric", -1, { decimal: "string" }, "-Infinity", "NEGATIVE_INFINITY"],
  ["money", -1, { decimal: "string" }, "-$1,234.50", "-1234.50"],
  ["date", -1, { time: "isostring" }, "0044-03-15 BC", "-0043-03-15Z"],
  ["time", -1, { time: "isostring" }, "12:30:00.10", "12:30:00.1Z"],
  ["interval", -1, { interval: "string" }, "-1 mons +2 days -00:00:00.5", "P0Y-1M2DT0H0M-0.5S"],
  ["bytea", -1, { binary: "base64-url-safe" }, "\\xfbff", "-_8="],
  ["xid8", -1, { unknownTypes: "bytes", binary: "hex" }, "17", "3137"],
  ["circle", -1, { unknownTypes: "bytes" }, "<(0,1e10),1>", "<(0.0,1.0E10),1.0>"],
])("%s(%i) under %o: %s is %s", (name, modifier, changed, text, expected) => {
  expect(written(inMode({ name, modifier }, changed), text)).toBe(textOf(expected));
});

test("times in nanoseconds, and infinite timestamps at the ends of their counts", () => {
  const nanoseconds = inMode({ name: "timestamp" }, { time: "nanoseconds" });
  expect(written(nanoseconds, "1970-01-01 00:00:01")).toBe(longOf(1_000_000_000n));
  expect(written(nanoseconds, "infinity")).toBe(longOf(9_223_372_036_854_775_807n));
  expect(write({ name: "timestamp" }, "-infinity")).toBe(longOf(-9_223_372_036_832_400_000n));
});

test("bits are bytes, the lowest first, and a single one is a boolean", () => {
  expect(write({ name: "bit", modifier: 9 }, "100000010")).toBe("040201");
  expect(write({ name: "varbit" }, "0000")).toBe("00");
  expect(write({ name: "bit", modifier: 1 }, "1")).toBe("01");
});

test("hstore is JSON with the keys in a hash map's order", () => {
  const type = { name: "hstore", schema: "public" };
  const text = String.raw`"b"=>"1", "a"=>NULL, "q\"x"=>"\\"`;
  expect(write(type, text)).toBe(textOf(String.raw`{"a":null,"b":"1","q\"x":"\\"}`));
});

test("an unchanged uuid array is marked by the UUID of the placeholder's bytes", () => {
  const converter = inMode({ name: "uuid", array: true }, { unavailable: "hex:6162ff" });
  const writer = new AvroWriter();
  converter.writeUnavailable?.(writer);
  const marked = `0202${textOf("74bdab82-7ad1-3d91-9818-8c947e2f9c6f")}00`;
  expect(writer.finish().toString("hex")).toBe(marked);
});

const builtIn = { schema: "pg_catalog", modifier: -1, array: false };

test.each([
  ["int4", "nextval('s'::regclass)", { literal: undefined }],
  ["int4", "(1 + 2)", { literal: "(1 + 2)" }],
  ["text", "'it''s'::text", { literal: "it's" }],
  ["text", "('a'::text || 'b'::text)", { literal: "a" }],
  ["timestamptz", "CURRENT_TIMESTAMP", { literal: undefined }],
  ["varchar", "NULL::character varying", undefined],
  ["bytea", "'\\xff'::bytea", undefined],
])("the default of %s that says %s", (name, expression, expected) => {
  expect(readDefault(expression, { ...builtIn, name })).toEqual(expected);
});

test("names become Avro's, unit by unit", () => {
  expect(avroName("größe_id")).toBe("gr__e_id");
  expect(avroName("emoji😀")).toBe("emoji__");
  expect(avroName("1st")).toBe("_1st");
});
