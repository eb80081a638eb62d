import type { Migration } from "./migration.ts";

/**
 * The registry's tables. A schema has one id in its context, whoever registers it; subjects hold
 * versions of it. Deletes are soft at first (`deleted_at`), so ids and version numbers are never
 * given twice. `''` as subject is the global setting.
 */
export const migrations: readonly Migration[] = [
  {
    name: "registry-1",
    sql: `
      create table refold.registry_contexts (
        context text primary key,
        -- Names the registry that framed an event.
        identity uuid not null default gen_random_uuid(),
        -- The greatest id ever given: a permanent delete gives none back.
        last_id integer not null default 0
      );
      insert into refold.registry_contexts (context) values ('.');

      create table refold.registry_schemas (
        context text not null references refold.registry_contexts,
        id integer not null check (id > 0),
        schema_type text not null default 'AVRO',
        schema text not null,
        schema_references jsonb not null default '[]',
        -- Of the schema's text in one spelling, with its references.
        fingerprint bytea not null,
        registered_at timestamptz not null default now(),
        primary key (context, id)
      );
      create index registry_schemas_fingerprint
        on refold.registry_schemas (context, fingerprint);

      create table refold.registry_versions (
        context text not null default '.',
        subject text not null,
        version integer not null check (version > 0),
        schema_id integer not null,
        registered_at timestamptz not null default now(),
        deleted_at timestamptz,
        primary key (context, subject, version),
        foreign key (context, schema_id) references refold.registry_schemas (context, id)
      );
      create index registry_versions_schema on refold.registry_versions (context, schema_id);

      create table refold.registry_settings (
        context text not null default '.',
        subject text not null,
        compatibility text check (compatibility in ('NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE',
          'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE')),
        mode text check (mode in ('READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT')),
        primary key (context, subject)
      );
    `,
  },
  {
    name: "registry-2",
    sql: `
      -- Ids that this system frames records with: they stay resolvable for as long as the log lives.
      -- Whatever was registered until now was registered for that.
      alter table refold.registry_schemas add column framing boolean not null default true;
      alter table refold.registry_schemas alter column framing set default false;
      create index registry_schemas_references
        on refold.registry_schemas using gin (schema_references jsonb_path_ops);

      alter table refold.registry_settings add column normalize boolean;
    `,
  },
];
