import { escapeIdentifier, escapeLiteral } from "pg";

import {
  buildSchemas,
  databaseRoles,
  type DatabaseRole,
  definerFunctions,
  tableGrants,
} from "./grants.ts";

export interface RolesSqlOptions {
  /** Stands before each role's name: `refold_` makes `refold_reader`. */
  readonly prefix: string;
  /** The database whose schema is granted on. */
  readonly database: string;
  /** Names of processors' state tables, which follow from the definitions. */
  readonly stateTables: readonly string[];
}

const schemas = [...new Set(tableGrants.map(({ schema }) => schema)), ...buildSchemas];

/**
 * Statements that make the roles and bring their rights to what the grants say, run as often as
 * wanted by the owner of the schema. Roles are made without a password: they can't log in until they
 * are given one.
 */
export function rolesSql(options: RolesSqlOptions): readonly string[] {
  const named = (role: DatabaseRole): string => escapeIdentifier(options.prefix + role);
  const everyone = databaseRoles.map(named).join(", ");
  return [
    ...databaseRoles.map((role) => creation(options.prefix + role)),
    // The right to read the write-ahead log is the whole database's: no table can be kept from it.
    `alter role ${named("capture")} with replication`,
    `grant ${named("rebuilder")} to ${named("projector")}`,
    // Who gives a table away must be a member of who gets it.
    `grant ${named("rebuilder")}, ${named("projector")} to current_user`,
    `grant connect on database ${escapeIdentifier(options.database)} to ${everyone}`,
    ...schemas.map((schema) => `grant usage on schema ${schema} to ${everyone}`),
    ...schemas.map((schema) => `revoke all on all tables in schema ${schema} from ${everyone}`),
    ...tableGrants.flatMap(({ schema, tables, to }) =>
      (Object.entries(to) as [DatabaseRole, readonly string[]][]).map(
        ([role, privileges]) =>
          `grant ${privileges.join(", ")} on ` +
          `${tables.map((table) => `${schema}.${table}`).join(", ")} to ${named(role)}`,
      ),
    ),
    ...options.stateTables.flatMap((table) => [
      `grant select, insert, update, delete on ${table} to ${named("projector")}`,
      `grant select on ${table} to ${named("api")}, ${named("rebuilder")}`,
    ]),
    `grant select on refold.event_positions, refold.notice_positions to ${everyone}`,
    `grant usage, select on all sequences in schema refold to ${named("api")}, ` +
      `${named("projector")}, ${named("rebuilder")}`,
    `revoke usage on refold.event_positions from ${everyone}`,
    ...definerFunctions.flatMap(({ name, to }) => ownersRights(name, to.map(named))),
    ...buildSchemas.flatMap((schema) => given(schema, named)),
  ];
}

const creation = (role: string): string =>
  `do $do$ begin
  if not exists (select from pg_roles where rolname = ${escapeLiteral(role)}) then
    create role ${escapeIdentifier(role)} login nosuperuser nocreatedb nocreaterole;
  end if;
end $do$`;

/** All functions of the name: their arguments change from version to version. */
const ownersRights = (name: string, roles: readonly string[]): readonly string[] => [
  `do $do$ declare one regprocedure; begin
  for one in select oid from pg_proc
    where pronamespace = 'refold'::regnamespace and proname = ${escapeLiteral(name)}
  loop
    execute format('alter function %s security definer set search_path = pg_catalog, pg_temp', one);
    execute format('revoke execute on function %s from public', one);
    execute format('grant execute on function %s to ${roles.join(", ")}', one);
  end loop;
end $do$`,
];

/** The schema and all in it become the rebuilder's; what comes later is given by who makes it. */
const given = (schema: string, named: (role: DatabaseRole) => string): readonly string[] => {
  const owner = named("rebuilder");
  const readers = [named("reader"), named("api"), named("projector")].join(", ");
  return [
    `alter schema ${schema} owner to ${owner}`,
    `do $do$ declare one regclass; begin
  for one in select oid from pg_class
    where relnamespace = '${schema}'::regnamespace and relkind in ('r', 'v')
  loop
    execute format('alter table %s owner to ${owner}', one);
  end loop;
end $do$`,
    `grant select on all tables in schema ${schema} to ${readers}`,
    ...["current_user", named("rebuilder"), named("projector")].map(
      (maker) =>
        `alter default privileges for role ${maker} in schema ${schema} ` +
        `grant select on tables to ${readers}`,
    ),
  ];
};
