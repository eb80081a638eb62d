import type { Pool } from "pg";

import {
  framingRegistry,
  setFramingRegistry,
} from "../../connectors/postgres/event-store/index.ts";
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
  readonly registry: Pick<SchemaRegistry, "identity">;
}): Promise<void> {
  const { pool, registry } = on;
  const ours = await registry.identity();
  const theirs = await framingRegistry(pool, ours);
  if (ours === theirs) return;
  if (!(await hasFramed(pool))) return setFramingRegistry(pool, ours);
  throw new CommandFailure(
    "versionMismatch",
    `The store's events were framed with the schema registry ${theirs}, and this one is ${ours}: ` +
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
