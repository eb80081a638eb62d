import { FatalError } from "../../../engine/errors.ts";
import type { RegisteredSchema, SchemaRegistry } from "../../../engine/ports/schema-registry.ts";
import { parseSchema, schemaText } from "../../../schemas/avro/index.ts";
import type { RegistryAnswer, RegistryClient } from "./registry-client.ts";

/** What became of the versions that were to be imported. */
export interface Imported {
  readonly made: number;
  /** They were there under their ids already. */
  readonly known: number;
}

/**
 * Puts schemas under the ids and versions that they have in another registry, in Confluent's mode
 * IMPORT, and looks afterwards whether they are there: some registries take the mode and give ids of
 * their own. Nothing is written when an id stands for another schema already.
 *
 * @throws FatalError `id-taken`, `import-refused`, `ids-not-taken`
 */
export async function importVersions(
  client: RegistryClient,
  to: Pick<SchemaRegistry, "schemaById" | "versions">,
  versions: readonly RegisteredSchema[],
): Promise<Imported> {
  const missing = await missingVersions(to, versions);
  const subjects = [...new Set(missing.map(({ subject }) => subject))];
  for (const subject of subjects) await setMode(client, subject, "IMPORT");
  try {
    // Rising ids, so that a registry that counts for itself may come to the same ones.
    for (const version of missing.toSorted((a, b) => a.id - b.id)) {
      await importOne(client, version);
      await assertTaken(to, version);
    }
  } finally {
    for (const subject of subjects) await setMode(client, subject, "READWRITE");
  }
  return { made: missing.length, known: versions.length - missing.length };
}

async function missingVersions(
  to: Pick<SchemaRegistry, "schemaById" | "versions">,
  versions: readonly RegisteredSchema[],
): Promise<readonly RegisteredSchema[]> {
  const missing: RegisteredSchema[] = [];
  for (const version of versions) {
    const { id, subject, schema } = version;
    const there = await to.schemaById(id);
    if (there !== undefined && !same(there, schema)) throw idTaken(version);
    const listed = await to.versions(subject);
    if (!listed.some((one) => one.id === id)) missing.push(version);
  }
  return missing;
}

async function importOne(client: RegistryClient, version: RegisteredSchema): Promise<void> {
  const { id, subject, schema } = version;
  const path = `/subjects/${encodeURIComponent(subject)}/versions`;
  const body = { schema, schemaType: "AVRO", id, version: version.version };
  refuse(await client.post(path, body), `version ${version.version} of ${subject}`);
}

async function assertTaken(
  to: Pick<SchemaRegistry, "schemaById">,
  { id, subject, schema }: RegisteredSchema,
): Promise<void> {
  const there = await to.schemaById(id);
  if (there !== undefined && same(there, schema)) return;
  throw new FatalError(
    "ids-not-taken",
    `The registry took a schema of ${subject} and gave it another id than ${id}.`,
    "It doesn't import ids this way: begin with an empty registry that counts from 1, or use its " +
      "own import.",
  );
}

async function setMode(client: RegistryClient, subject: string, mode: string): Promise<void> {
  const path = `/mode/${encodeURIComponent(subject)}?force=true`;
  refuse(await client.put(path, { mode }), `mode ${mode} of ${subject}`);
}

function refuse(answer: RegistryAnswer, what: string): void {
  if (answer.kind === "ok") return;
  throw new FatalError(
    "import-refused",
    `The registry refuses ${what} (${answer.code}): ${answer.message}.`,
    "Allow mode.mutability there, and give credentials that may change modes.",
  );
}

function same(one: string, other: string): boolean {
  return schemaText(parseSchema(one)) === schemaText(parseSchema(other));
}

function idTaken({ id, subject }: RegisteredSchema): FatalError {
  return new FatalError(
    "id-taken",
    `Id ${id}, which ${subject} has, stands for another schema in the registry that is pushed to.`,
    "Push to a registry whose ids aren't given yet.",
  );
}
