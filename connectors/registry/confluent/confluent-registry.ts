import { FatalError, RecordError } from "../../../engine/errors.ts";
import {
  incompatibleMessage,
  type CompatibilityLevel,
  type Incompatibility,
  type RegisteredSchema,
  type SchemaRegistry,
} from "../../../engine/ports/schema-registry.ts";
import {
  againstLevel,
  compatibilityLevels,
  parseSchema,
  SchemaError,
  schemaText,
  type Schema,
} from "../../../schemas/avro/index.ts";
import { giveIdentity, identitySubject, readIdentity } from "./identity.ts";
import { importVersions, type Imported } from "./import-versions.ts";
import { javaSpelling } from "./java-spelling.ts";
import {
  RegistryClient,
  type RegistryAnswer,
  type RegistryClientOptions,
} from "./registry-client.ts";

/** What the registry answers for a version. */
interface Version {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly unknown[];
}

/** Ids have four bytes in the wire format, and none is below 1. */
const idMax = 2 ** 31 - 1;

/**
 * Any registry with Confluent's REST interface, for registration and look-up: what a record needs is
 * cached by the codec, so nothing is asked for each of them.
 *
 * Schemas are sent in one spelling, since not every registry knows two spellings for the same
 * schema: in that of Java's converters, so that Debezium's find theirs under the same ids. What a
 * subject has already is found however it is spelt. Reasons of incompatibility are found here, over
 * the versions that the registry has, because registries word them differently or not at all;
 * whether a schema is taken, the registry decides.
 */
export class ConfluentRegistry implements SchemaRegistry {
  readonly #client: RegistryClient;

  constructor(options: RegistryClientOptions) {
    this.#client = new RegistryClient(options);
  }

  identity(): Promise<string> {
    return giveIdentity(this.#client);
  }

  knownIdentity(): Promise<string | undefined> {
    return readIdentity(this.#client);
  }

  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    const parsed = parsedOrRefused(schema);
    const known = await this.#known(subject, parsed);
    if (known !== undefined) return known;
    const path = `${subjectPath(subject)}/versions`;
    const text = javaSpelling(schema);
    const answer = await this.#client.post(path, { schema: text, schemaType: "AVRO" });
    if (answer.kind === "refused") throw await this.#notTaken(subject, parsed, answer);
    const made = await this.#known(subject, parsed);
    if (made !== undefined) return made;
    throw new FatalError(
      "registry-foreign",
      `The schema registry took a schema for ${subject} and doesn't list it there.`,
      "See whether something deletes its subjects.",
    );
  }

  async schemaById(id: number): Promise<string | undefined> {
    if (!Number.isInteger(id) || id < 1 || id > idMax) return undefined;
    const found = await this.#client.get(`/schemas/ids/${id}`);
    if (found.kind === "refused") {
      if (isUnknown(found)) return undefined;
      throw unexpected(`schema ${id}`, found);
    }
    const { schema, schemaType = "AVRO", references = [] } = found.body as Version;
    if (schemaType === "AVRO" && references.length === 0) return schema;
    const what = schemaType === "AVRO" ? "refers to other schemas" : `is of type ${schemaType}`;
    const message = `The registry's schema ${id} ${what}: only Avro without references is read.`;
    throw new RecordError("schema-incompatible", message);
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    const path = `${subjectPath(subject)}/versions`;
    const listed = await this.#client.get(path);
    if (listed.kind === "refused") {
      if (isUnknown(listed)) return [];
      throw unexpected(`versions of ${subject}`, listed);
    }
    const numbers = listed.body as readonly number[];
    const found = await Promise.all(numbers.map((number) => this.#version(path, number)));
    return found.filter((version) => version !== undefined);
  }

  async subjects(): Promise<readonly string[]> {
    const found = await this.#client.get("/subjects");
    if (found.kind === "refused") throw unexpected("its subjects", found);
    return (found.body as string[]).filter((name) => name !== identitySubject).sort();
  }

  async check(subject: string, schema: string): Promise<readonly Incompatibility[]> {
    return this.#against(subject, parsedOrRefused(schema));
  }

  async compatibility(subject?: string): Promise<CompatibilityLevel> {
    const own = subject === undefined ? undefined : await this.#level(inheritedPath(subject));
    const level = own ?? (await this.#level("/config"));
    if (level !== undefined) return level;
    throw new FatalError(
      "registry-foreign",
      "The schema registry doesn't tell its compatibility level.",
      "Set one by PUT /config.",
    );
  }

  async setCompatibility(level: CompatibilityLevel, subject?: string): Promise<void> {
    const path = subject === undefined ? "/config" : configPath(subject);
    const answer = await this.#client.put(path, { compatibility: level });
    if (answer.kind !== "refused") return;
    // Apicurio refuses the second of two processes that set the same at once.
    if ((await this.compatibility(subject)) !== level)
      throw unexpected(`the level ${level}`, answer);
  }

  /** See `importVersions`. */
  importVersions(versions: readonly RegisteredSchema[]): Promise<Imported> {
    return importVersions(this.#client, this, versions);
  }

  async #known(subject: string, parsed: Schema): Promise<RegisteredSchema | undefined> {
    const wanted = schemaText(parsed);
    return (await this.versions(subject)).find(({ schema }) => textOf(schema) === wanted);
  }

  async #version(path: string, number: number): Promise<RegisteredSchema | undefined> {
    const found = await this.#client.get(`${path}/${number}`);
    if (found.kind === "refused") {
      // It was deleted since the list was made.
      if (isUnknown(found)) return undefined;
      throw unexpected(`version ${number}`, found);
    }
    const { id, subject, version, schema } = found.body as Version;
    return { id, subject, version, schema };
  }

  async #against(subject: string, parsed: Schema): Promise<readonly Incompatibility[]> {
    const level = await this.compatibility(subject);
    const versions = await this.versions(subject);
    const wanted = schemaText(parsed);
    if (versions.some(({ schema }) => textOf(schema) === wanted)) return [];
    const earlier = versions.flatMap(({ version, schema }) => {
      const old = parsedOrUndefined(schema);
      return old === undefined ? [] : [{ version, schema: old }];
    });
    return againstLevel(level, parsed, earlier);
  }

  async #notTaken(subject: string, parsed: Schema, answer: Refused): Promise<FatalError> {
    if (answer.code !== 409) return refused(subject, answer);
    const found = await this.#against(subject, parsed);
    const level = await this.compatibility(subject);
    const message =
      found.length > 0
        ? incompatibleMessage(subject, level, found)
        : `The schema is not ${level} compatible with subject ${subject}, says the registry: ${answer.message}`;
    return new FatalError("schema-incompatible", message, "Change the schema to keep the promise.");
  }

  async #level(path: string): Promise<CompatibilityLevel | undefined> {
    const found = await this.#client.get(path);
    if (found.kind === "refused") {
      if (isUnknown(found)) return undefined;
      throw unexpected("its compatibility level", found);
    }
    const { compatibilityLevel: told } = found.body as { readonly compatibilityLevel?: string };
    return compatibilityLevels.find((level) => level === told);
  }
}

type Refused = Extract<RegistryAnswer, { kind: "refused" }>;

const subjectPath = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`;
const configPath = (subject: string): string => `/config/${encodeURIComponent(subject)}`;

/** Asked plainly, Apicurio says NONE of a subject that has no level of its own. */
const inheritedPath = (subject: string): string => `${configPath(subject)}?defaultToGlobal=true`;

/** No such subject, version, schema or setting: five digits, or the status where there is no code. */
function isUnknown({ code }: Refused): boolean {
  return code === 404 || (code >= 40_400 && code < 40_500);
}

function parsedOrRefused(text: string): Schema {
  try {
    return parseSchema(text);
  } catch (cause) {
    if (!(cause instanceof SchemaError)) throw cause;
    throw new FatalError("schema-invalid", `${cause.message}.`, "Correct the schema.", { cause });
  }
}

/** What isn't Avro as we know it can't be compared. */
function parsedOrUndefined(text: string): Schema | undefined {
  try {
    return parseSchema(text);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return undefined;
  }
}

function textOf(text: string): string | undefined {
  const schema = parsedOrUndefined(text);
  return schema && schemaText(schema);
}

function refused(subject: string, { code, message }: Refused): FatalError {
  const invalid = code === 422 || code === 42_201;
  const told = `The schema registry refuses a schema for ${subject} (${code}): ${message}`;
  return invalid
    ? new FatalError("schema-invalid", told, "Correct the schema.")
    : new FatalError("schema-refused", told, "See the registry's mode and settings.");
}

function unexpected(what: string, { code, message }: Refused): FatalError {
  return new FatalError(
    "registry-foreign",
    `Asked for ${what}, the schema registry answered ${code}: ${message}`,
    "Check SCHEMA_REGISTRY_URL and the registry's log.",
  );
}
