import { createHash } from "node:crypto";

import type {
  RegistryView,
  StoredSchema,
  SubjectName,
} from "../../../engine/ports/registry-store.ts";
import type { SchemaReference, SubmittedSchema } from "../../../engine/ports/subject-registry.ts";
import { parseSchema, schemaText, type Schema } from "../../../schemas/avro/index.ts";
import { refusals } from "./refusals.ts";
import { besides, qualified } from "./subject-name.ts";
import { versionIn } from "./version-number.ts";

/** A longer schema is refused. */
export const schemaCharactersMax = 1_000_000;

/** More references, directly and through one another, are refused. */
export const referencesMax = 1_000;

/** A schema with all that it refers to. */
export interface ParsedSchema {
  readonly schema: Schema;
  /** As it is kept and given back. */
  readonly text: string;
  readonly references: readonly SchemaReference[];
  /** Equal for two spellings of the same schema with the same references. */
  readonly fingerprint: Buffer;
  /** The whole in one spelling, whatever of it stands in references. */
  readonly resolved: string;
}

type Versions = Pick<RegistryView, "versionsOf">;

interface Source {
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

/**
 * Parses what a client submits for a subject.
 *
 * @throws RegistryRefusal 42201, 42209
 */
export async function parseSubmitted(
  view: Versions,
  name: SubjectName,
  submitted: SubmittedSchema & { readonly normalize?: boolean },
): Promise<ParsedSchema> {
  const { schema: text, schemaType = "AVRO", references = [] } = submitted;
  if (schemaType.toUpperCase() !== "AVRO") throw refusals.schemaTypeUnknown(schemaType);
  if (text.length > schemaCharactersMax) throw refusals.schemaTooLarge(schemaCharactersMax);
  const told = toldOf(text);
  const resolution = new Resolution(view, told);
  const referred = await resolution.follow(references, name);
  try {
    const parsed = parsedOf({ text, references: referred.references }, referred.schemas);
    return submitted.normalize === true ? normalized(parsed, referred.schemas) : parsed;
  } catch (error) {
    throw refusals.schemaInvalid(told, error);
  }
}

/** Parses what the registry keeps. */
export async function parseStored(
  view: Versions,
  stored: StoredSchema,
  name: SubjectName,
): Promise<ParsedSchema> {
  const resolution = new Resolution(view, toldOf(stored.schema));
  const { references, schemas } = await resolution.follow(stored.references, name);
  return parsedOf({ text: stored.schema, references }, schemas);
}

/** Schemas that others refer to, each read once. */
class Resolution {
  readonly #view: Versions;
  readonly #told: string;
  readonly #seen = new Map<string, readonly Schema[] | "open">();

  constructor(view: Versions, told: string) {
    this.#view = view;
    this.#told = told;
  }

  /** The references with qualified subjects and real versions, and the types that they bring. */
  async follow(references: readonly SchemaReference[], referrer: SubjectName) {
    const schemas: Schema[] = [];
    const settled: SchemaReference[] = [];
    for (const reference of references) {
      const name = besides(reference.subject, referrer);
      const found = versionIn(await this.#view.versionsOf(name), reference.version);
      if (found === undefined) throw refusals.referenceUnknown(this.#told, reference);
      settled.push({ ...reference, subject: qualified(name), version: found.version });
      schemas.push(...(await this.#once(`${qualified(name)}\n${found.version}`, found, name)));
    }
    return { schemas, references: settled };
  }

  /** One that is being read can only be met again where references go in a circle. */
  async #once(key: string, stored: StoredSchema, name: SubjectName): Promise<readonly Schema[]> {
    const known = this.#seen.get(key);
    if (known === "open") throw this.#invalid("its references go in a circle");
    if (known !== undefined) return known;
    this.#seen.set(key, "open");
    if (this.#seen.size > referencesMax) {
      throw this.#invalid(`it refers to more than ${referencesMax} schemas`);
    }
    const read = await this.#read(stored, name);
    this.#seen.set(key, read);
    return read;
  }

  #invalid(what: string): Error {
    return refusals.schemaInvalid(this.#told, new Error(what));
  }

  /** The schema after those that it refers to itself. */
  async #read(stored: StoredSchema, name: SubjectName): Promise<readonly Schema[]> {
    const { schemas } = await this.follow(stored.references, name);
    return [...schemas, parseSchema(stored.schema, { references: schemas })];
  }
}

function parsedOf({ text, references }: Source, schemas: readonly Schema[]): ParsedSchema {
  const schema = parseSchema(text, { references: schemas });
  const identity = schemaText(schema, { references: schemas });
  return {
    schema,
    text: compact(text),
    references,
    fingerprint: fingerprintOf(identity, references),
    resolved: schemaText(schema),
  };
}

function normalized(parsed: ParsedSchema, schemas: readonly Schema[]): ParsedSchema {
  const unique = new Map(parsed.references.map((one) => [JSON.stringify(one), one]));
  const references = [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const text = schemaText(parsed.schema, { references: schemas });
  return { ...parsed, text, references, fingerprint: fingerprintOf(text, references) };
}

function fingerprintOf(identity: string, references: readonly SchemaReference[]): Buffer {
  const hash = createHash("sha256").update(identity);
  for (const { name, subject, version } of references) {
    hash.update(`\n${JSON.stringify([name, subject, version])}`);
  }
  return hash.digest();
}

/** Without white space, otherwise as it was written: numbers may have more digits than ours. */
function compact(text: string): string {
  if (/^\w+$/.test(text)) return JSON.stringify(text);
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, "$1");
}

const toldCharactersMax = 1_000;

/** How messages show a schema. */
function toldOf(text: string): string {
  return text.length > toldCharactersMax ? `${text.slice(0, toldCharactersMax)}...` : text;
}
