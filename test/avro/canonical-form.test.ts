import { describe, expect, test } from "vitest";

import { canonicalForm, fingerprint, parseSchema, schemaText } from "../../schemas/avro/index.ts";
import { vectors } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly input: string;
  readonly canonical: string;
  readonly crc64Hex: string;
  readonly md5Hex: string;
  readonly sha256Hex: string;
}

const own: readonly Case[] = [
  {
    id: "an object around a primitive's name",
    input: '{"type":"null"}',
    canonical: '"null"',
    crc64Hex: "63dd24e7cc258f8a",
    md5Hex: "9b41ef67651c18488a8b08bb67c75699",
    sha256Hex: "f072cbec3bf8841871d4284230c5e983dc211a56837aed862487148f947d1a1f",
  },
];

describe("canonical form and fingerprints", () => {
  test.each(vectors("canonical", own))("$id", (one) => {
    const schema = parseSchema(one.input);
    expect(canonicalForm(schema)).toBe(one.canonical);
    expect(fingerprint(schema, "CRC-64-AVRO").toString("hex")).toBe(one.crc64Hex);
    expect(fingerprint(schema, "MD5").toString("hex")).toBe(one.md5Hex);
    expect(fingerprint(schema, "SHA-256").toString("hex")).toBe(one.sha256Hex);
    expect(canonicalForm(parseSchema(canonicalForm(schema)))).toBe(one.canonical);
    expect(schemaText(parseSchema(schemaText(schema)))).toBe(schemaText(schema));
  });
});

test("the whole text tells defaults apart, which the canonical form does not", () => {
  const withDefault = (value: number): ReturnType<typeof parseSchema> =>
    parseSchema({
      type: "record",
      name: "R",
      namespace: "x",
      fields: [{ name: "a", type: "int", default: value }],
    });
  expect(canonicalForm(withDefault(1))).toBe(canonicalForm(withDefault(2)));
  expect(schemaText(withDefault(1))).not.toBe(schemaText(withDefault(2)));
  const spelt = parseSchema(
    '{"fields":[ {"type":{"type":"int"},"default":1,"name":"a"}],"name":"x.R","type":"record"}',
  );
  expect(schemaText(spelt)).toBe(schemaText(withDefault(1)));
});
