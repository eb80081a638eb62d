import type { Field, NamedSchema, RecordSchema, Schema } from "./schema.ts";

/** Names match without their namespaces, or where the reader has the writer's name as an alias. */
export function namesMatch(reader: NamedSchema, writer: NamedSchema): boolean {
  return reader.shortName === writer.shortName || reader.aliases.includes(writer.fullName);
}

/** The writer's field that fills a reader's: of its name, else of one of its aliases. */
export function writerFieldOf(field: Field, writer: RecordSchema): Field | undefined {
  const named = (name: string): Field | undefined =>
    writer.fields.find((candidate) => candidate.name === name);
  const direct = named(field.name);
  if (direct !== undefined) return direct;
  for (const alias of field.aliases) {
    const found = named(alias);
    if (found !== undefined) return found;
  }
  return undefined;
}

const promotions: Readonly<Partial<Record<Schema["kind"], readonly Schema["kind"][]>>> = {
  int: ["long", "float", "double"],
  long: ["float", "double"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};

/** Is a datum of the writer's kind read as the reader's, another kind? */
export function promotes(writer: Schema["kind"], reader: Schema["kind"]): boolean {
  return promotions[writer]?.includes(reader) ?? false;
}
