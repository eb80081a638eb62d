import type { Pool, PoolClient } from "pg";

import { FatalError } from "../../engine/errors.ts";
import {
  incompatibleMessage,
  type CompatibilityLevel,
  type Incompatibility,
  type RegisteredSchema,
  type SchemaRegistry,
  type SchemaRules,
} from "../../engine/ports/schema-registry.ts";
import { registryError } from "./outage.ts";
import { avroRules, schemaFingerprint } from "./schema-rules.ts";

export interface PostgresSchemaRegistryOptions {
  readonly pool: Pool;
  readonly rules?: SchemaRules;
}

/** Runs statements: a pool, or a client in a transaction. */
type Database = Pick<PoolClient, "query">;

/** The default context of Confluent's registry. */
const context = ".";

/** What is set for no subject in particular. */
const everySubject = "";

const defaultLevel: CompatibilityLevel = "BACKWARD";

/** A registry in the tables `refold.registry_*`. */
export class PostgresSchemaRegistry implements SchemaRegistry {
  readonly #pool: Pool;
  readonly #rules: SchemaRules;

  constructor(options: PostgresSchemaRegistryOptions) {
    this.#pool = options.pool;
    this.#rules = options.rules ?? avroRules;
  }

  async identity(): Promise<string> {
    const { rows } = await this.#query<{ identity: string }>(
      "select identity::text from refold.registry_contexts where context = $1",
      [context],
    );
    return oneRow(rows, noContext).identity;
  }

  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    const fingerprint = schemaFingerprint(this.#rules.identityOf(schema));
    try {
      // Most registrations are of what is there: those take no lock.
      const known = await findVersion(this.#pool, subject, fingerprint);
      return known ?? (await this.#registerNew(subject, schema, fingerprint));
    } catch (error) {
      throw registryError(error);
    }
  }

  async schemaById(id: number): Promise<string | undefined> {
    if (!Number.isInteger(id) || id < 1 || id >= 2 ** 31) return undefined;
    const { rows } = await this.#query<{ schema: string }>(
      "select schema from refold.registry_schemas where context = $1 and id = $2",
      [context, id],
    );
    return rows[0]?.schema;
  }

  async versions(subject: string): Promise<readonly RegisteredSchema[]> {
    try {
      return await versionsOf(this.#pool, subject);
    } catch (error) {
      throw registryError(error);
    }
  }

  async subjects(): Promise<readonly string[]> {
    const { rows } = await this.#query<{ subject: string }>(
      `select distinct subject collate "C" as subject from refold.registry_versions
       where context = $1 and deleted_at is null order by 1`,
      [context],
    );
    return rows.map((row) => row.subject);
  }

  async check(subject: string, schema: string): Promise<readonly Incompatibility[]> {
    const fingerprint = schemaFingerprint(this.#rules.identityOf(schema));
    try {
      if ((await findVersion(this.#pool, subject, fingerprint)) !== undefined) return [];
      const level = await levelOf(this.#pool, subject);
      return this.#rules.against(level, schema, await versionsOf(this.#pool, subject));
    } catch (error) {
      throw registryError(error);
    }
  }

  async compatibility(subject?: string): Promise<CompatibilityLevel> {
    try {
      return await levelOf(this.#pool, subject ?? everySubject);
    } catch (error) {
      throw registryError(error);
    }
  }

  async setCompatibility(level: CompatibilityLevel, subject?: string): Promise<void> {
    await this.#query(
      `insert into refold.registry_settings (context, subject, compatibility) values ($1, $2, $3)
       on conflict (context, subject) do update set compatibility = excluded.compatibility`,
      [context, subject ?? everySubject, level],
    );
  }

  /**
   * One registration at a time, in one transaction. The lock is a statement of its own: in READ
   * COMMITTED the statements after it see what the transaction that held it before has committed.
   */
  async #registerNew(
    subject: string,
    schema: string,
    fingerprint: Buffer,
  ): Promise<RegisteredSchema> {
    const client = await this.#pool.connect();
    let broken = true;
    // A connection that breaks between two statements fails the next one; it must not end us.
    client.on("error", ignore);
    try {
      await client.query("begin");
      await client.query("select 1 from refold.registry_contexts where context = $1 for update", [
        context,
      ]);
      const known = await findVersion(client, subject, fingerprint);
      const registered = known ?? (await this.#insert(client, { subject, schema, fingerprint }));
      await client.query("commit");
      broken = false;
      return registered;
    } catch (error) {
      if (error instanceof FatalError) {
        await client.query("rollback");
        broken = false;
      }
      throw error;
    } finally {
      client.off("error", ignore);
      // A connection in a state that nobody knows is closed, which ends its transaction too.
      client.release(broken);
    }
  }

  async #insert(client: Database, made: NewVersion): Promise<RegisteredSchema> {
    const { subject, schema } = made;
    const level = await levelOf(client, subject);
    const found = this.#rules.against(level, schema, await versionsOf(client, subject));
    if (found.length > 0) {
      const message = incompatibleMessage(subject, level, found);
      const remedy = "Change the schema to keep the promise.";
      throw new FatalError("schema-incompatible", message, remedy);
    }
    const id = (await findId(client, made.fingerprint)) ?? (await newId(client, made));
    const { rows } = await client.query<RegisteredSchema>(
      `with added as (
         insert into refold.registry_versions (context, subject, version, schema_id)
         select $1, $2, coalesce(max(version), 0) + 1, $3
         from refold.registry_versions where context = $1 and subject = $2
         returning context, subject, version, schema_id
       )
       select s.id, a.subject, a.version, s.schema
       from added a join refold.registry_schemas s on s.context = a.context and s.id = a.schema_id`,
      [context, subject, id],
    );
    return oneRow(rows, "The registration left no version behind.");
  }

  async #query<Row extends object>(
    sql: string,
    values: readonly unknown[],
  ): Promise<{ rows: Row[] }> {
    try {
      return await this.#pool.query<Row & Record<string, unknown>>(sql, [...values]);
    } catch (error) {
      throw registryError(error);
    }
  }
}

interface NewVersion {
  readonly subject: string;
  readonly schema: string;
  readonly fingerprint: Buffer;
}

async function findVersion(
  database: Database,
  subject: string,
  fingerprint: Buffer,
): Promise<RegisteredSchema | undefined> {
  const { rows } = await database.query<RegisteredSchema>(
    `select s.id, v.subject, v.version, s.schema
     from refold.registry_versions v
     join refold.registry_schemas s on s.context = v.context and s.id = v.schema_id
     where v.context = $1 and v.subject = $2 and v.deleted_at is null and s.fingerprint = $3
     order by v.version desc limit 1`,
    [context, subject, fingerprint],
  );
  return rows[0];
}

async function versionsOf(
  database: Database,
  subject: string,
): Promise<readonly RegisteredSchema[]> {
  const { rows } = await database.query<RegisteredSchema>(
    `select s.id, v.subject, v.version, s.schema
     from refold.registry_versions v
     join refold.registry_schemas s on s.context = v.context and s.id = v.schema_id
     where v.context = $1 and v.subject = $2 and v.deleted_at is null
     order by v.version`,
    [context, subject],
  );
  return rows;
}

/** The subject's own level, else the global one, else the default. */
async function levelOf(database: Database, subject: string): Promise<CompatibilityLevel> {
  const { rows } = await database.query<{ compatibility: CompatibilityLevel }>(
    `select compatibility from refold.registry_settings
     where context = $1 and subject in ($2, $3) and compatibility is not null
     order by subject = $2 desc limit 1`,
    [context, subject, everySubject],
  );
  return rows[0]?.compatibility ?? defaultLevel;
}

async function findId(database: Database, fingerprint: Buffer): Promise<number | undefined> {
  const { rows } = await database.query<{ id: number }>(
    `select id from refold.registry_schemas where context = $1 and fingerprint = $2
     order by id limit 1`,
    [context, fingerprint],
  );
  return rows[0]?.id;
}

async function newId(database: Database, made: NewVersion): Promise<number> {
  const { rows } = await database.query<{ last_id: number }>(
    `update refold.registry_contexts set last_id = last_id + 1 where context = $1
     returning last_id`,
    [context],
  );
  const id = oneRow(rows, noContext).last_id;
  await database.query(
    `insert into refold.registry_schemas (context, id, schema, fingerprint)
     values ($1, $2, $3, $4)`,
    [context, id, made.schema, made.fingerprint],
  );
  return id;
}

const ignore = (): void => undefined;

const noContext = `The registry has no context ${JSON.stringify(context)}.`;

function oneRow<Row>(rows: readonly Row[], otherwise: string): Row {
  const [row] = rows;
  if (row === undefined) {
    throw new FatalError("registry-damaged", otherwise, "Restore the tables refold.registry_*.");
  }
  return row;
}
