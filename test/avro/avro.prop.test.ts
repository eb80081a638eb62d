import avsc from "avsc";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  canonicalForm,
  DecodeError,
  incompatibilities,
  makeEncoder,
  makeResolver,
  parseSchema,
  ResolutionError,
  schemaText,
  type Schema,
} from "../../schemas/avro/index.ts";
import { datumOf, schemaPair, schemaSource } from "./arbitraries.ts";

/** A schema with one of its data. */
const schemaAndDatum = schemaSource.chain((source) =>
  datumOf(parseSchema(source)).map((datum) => ({ source, datum })),
);

test("what was encoded decodes to itself, anywhere in a buffer", () => {
  const property = fc.property(schemaAndDatum, fc.nat(20), ({ source, datum }, offset) => {
    const schema = parseSchema(source);
    const bytes = makeEncoder(schema).encode(datum);
    const within = Buffer.concat([Buffer.alloc(offset, 0xff), bytes, Buffer.alloc(3, 0xff)]);
    const resolver = makeResolver(schema, schema);
    expect(resolver.decode(within, offset, offset + bytes.length)).toEqual(datum);
  });
  fc.assert(property, { numRuns: 500 });
});

test("writes and reads the bytes that an independent implementation does", () => {
  // It loses the last bit of longs beyond 2^52.
  const longs = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
  const cases = schemaSource.chain((source) =>
    datumOf(parseSchema(source), longs).map((datum) => ({ source, datum })),
  );
  const property = fc.property(cases, ({ source, datum }) => {
    const theirs = typeOfTheirs(source);
    fc.pre(theirs !== undefined);
    const schema = parseSchema(source);
    const bytes = makeEncoder(schema).encode(datum);
    expect(bytes.toString("hex")).toBe(theirs.toBuffer(datum).toString("hex"));
    expect(resolved(schema, bytes)).toEqual(datum);
    expect(JSON.parse(canonicalForm(schema))).toEqual(
      JSON.parse(canonicalForm(parseSchema(theirs.schema()))),
    );
  });
  fc.assert(property, { numRuns: 300 });
});

test("every datum of a compatible writer can be read", () => {
  let compatible = 0;
  const cases = schemaPair.chain(({ reader, writer }) =>
    datumOf(parseSchema(writer)).map((datum) => ({ reader, writer, datum })),
  );
  const property = fc.property(cases, ({ reader, writer, datum }) => {
    const [read, written] = [parseSchema(reader), parseSchema(writer)];
    const bytes = makeEncoder(written).encode(datum);
    if (incompatibilities(read, written).length === 0) {
      compatible += 1;
      makeResolver(read, written).decode(bytes);
    } else {
      onlyKnownErrors(() => makeResolver(read, written).decode(bytes));
    }
  });
  fc.assert(property, { numRuns: 1000 });
  expect(compatible).toBeGreaterThan(200);
});

test("a schema is compatible with itself and survives its own text", () => {
  const property = fc.property(schemaSource, (source) => {
    const schema = parseSchema(source);
    expect(incompatibilities(schema, parseSchema(schemaText(schema)))).toEqual([]);
    expect(schemaText(parseSchema(schemaText(schema)))).toBe(schemaText(schema));
    expect(canonicalForm(parseSchema(canonicalForm(schema)))).toBe(canonicalForm(schema));
  });
  fc.assert(property, { numRuns: 300 });
});

test("any bytes at all end in a datum or a DecodeError, soon", () => {
  const property = fc.property(
    schemaPair,
    fc.uint8Array({ maxLength: 40 }),
    ({ reader, writer }, bytes) => {
      const begun = performance.now();
      const [read, written] = [parseSchema(reader), parseSchema(writer)];
      onlyKnownErrors(() => makeResolver(read, written).decode(Buffer.from(bytes)));
      expect(performance.now() - begun).toBeLessThan(1000);
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

function resolved(schema: Schema, bytes: Buffer): unknown {
  return makeResolver(schema, schema).decode(bytes);
}

/** undefined for unions that it can't read unwrapped: those where several branches fit a value. */
function typeOfTheirs(source: unknown): avsc.Type | undefined {
  try {
    return avsc.Type.forSchema(source as avsc.Schema, { wrapUnions: false });
  } catch (error) {
    if (/ambiguous unwrapped union/.test(String(error))) return undefined;
    throw error;
  }
}

function onlyKnownErrors(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    const known = error instanceof DecodeError || error instanceof ResolutionError;
    if (!known) throw error;
  }
}
