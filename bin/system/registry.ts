import type { Pool } from "pg";

import { knownFraming, setFramingRegistry } from "../../connectors/postgres/event-store/index.ts";
import {
  ConfluentRegistry,
  PostgresRegistryStore,
  StoredSchemaRegistry,
  subjectRegistry,
} from "../../connectors/registry/index.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import type { SubjectRegistry } from "../../engine/ports/subject-registry.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Servers } from "../servers.ts";

export interface OpenRegistry {
  readonly registry: SchemaRegistry;
  /** What is served under `/registry`: the embedded registry; another one serves itself. */
  readonly subjects: SubjectRegistry | undefined;
}

/** The registry that the settings name. */
export function openRegistry({ registryUrl }: Servers, pool: Pool): OpenRegistry {
  if (registryUrl !== undefined) {
    return { registry: new ConfluentRegistry({ url: registryUrl }), subjects: undefined };
  }
  const store = new PostgresRegistryStore({ pool });
  return { registry: new StoredSchemaRegistry({ store }), subjects: subjectRegistry(store) };
}

/**
 * Schema ids belong to a registry: events framed by another one can't be read by ours. A store
 * without events takes any registry.
 */
export async function checkFramingRegistry(on: {
  readonly pool: Pool;
  readonly registry: Pick<SchemaRegistry, "identity" | "knownIdentity">;
}): Promise<void> {
  const { pool, registry } = on;
  const theirs = await knownFraming(pool);
  if (theirs !== undefined && (await hasFramed(pool))) {
    // A registry that is refused isn't given a name: that would take an id which may be needed.
    const ours = await nameOf(registry);
    if (ours !== theirs) throw framedByAnother(theirs, ours);
    return;
  }
  await setFramingRegistry(pool, await registry.identity());
}

/** A registry's name, without giving it one. */
export function nameOf(
  registry: Pick<SchemaRegistry, "identity" | "knownIdentity">,
): Promise<string | undefined> {
  return registry.knownIdentity ? registry.knownIdentity() : registry.identity();
}

function framedByAnother(theirs: string, ours: string | undefined): CommandFailure {
  const told = ours === undefined ? "another one" : ours;
  return new CommandFailure(
    "versionMismatch",
    `The store's events were framed with the schema registry ${theirs}, and this one is ${told}: ` +
      "use the registry that belongs to the store, or put its schemas under the same ids into " +
      "this one with refold schema push.",
  );
}

async function hasFramed(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ framed: boolean }>(
    `select exists (select 1 from refold.events) or exists (select 1 from refold.notices)
     as framed`,
  );
  return rows[0]?.framed === true;
}
