import { Command } from "commander";

import { preparePublication } from "../../connectors/capture/index.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { processorModelOf } from "../../engine/task/processor-task-store.ts";
import { CommandFailure } from "../command-failure.ts";
import { rolesSql } from "../database-roles/sql.ts";
import { commandOnDatabase, type OptionsOnDatabase } from "../program.ts";
import { captureOptions } from "../system/capture.ts";
import { connect, type Connected } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

interface RolesOptions extends OptionsOnDatabase {
  readonly prefix: string;
}

/** `refold roles`: least-privilege roles in Postgres for each kind of process. */
export function databaseRolesCommand(): Command {
  return new Command("roles")
    .description("roles in Postgres with the least rights that each kind of process works with")
    .addCommand(
      commandOfRoles("sql")
        .description("print the statements, for the schema's owner to read and to run")
        .action(async (options: RolesOptions) => {
          await using stores = await connect("roles", options);
          const statements = await statementsFor(stores, options);
          process.stdout.write(statements.map((one) => `${one};\n`).join(""));
        }),
    )
    .addCommand(
      commandOfRoles("apply")
        .description("bring the schema up to date, and run the statements, in one transaction")
        .action(apply),
    )
    .addHelpText("after", laterText);
}

const laterText = `
Roles: reader (queries alone), api, projector (worker), rebuilder (makes read models), capture.
They are made without a password; give each one its own, and each process its role's URL:
  alter role refold_api password '...'
Run it again after each update of Refold: new tables and functions are nobody's until then.`;

const commandOfRoles = (name: string): Command =>
  commandOnDatabase(name).option("--prefix <prefix>", "of the roles' names", "refold_");

async function apply(options: RolesOptions): Promise<void> {
  await using stores = await connect("roles", options, { schema: "migrate" });
  await openStates(stores);
  if (stores.servers.capture === "embedded") await preparePublicationOn(stores);
  const statements = await statementsFor(stores, options);
  const client = await stores.pool.connect();
  try {
    await client.query("begin");
    for (const statement of statements) await client.query(statement);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
  process.stdout.write(`${statements.length} statements are done. Give each role a password.\n`);
}

/** State tables are made when their processor first runs, which its role may not do. */
async function openStates({ processorStore }: Connected): Promise<void> {
  for (const processor of application.processors) {
    await processorStore.open(processorModelOf(processor));
  }
}

/** Only the owner of tables may publish them: the capture finds it made. */
function preparePublicationOn(stores: Connected): Promise<void> {
  const { url, pool } = stores;
  const part = { definitions: application, stores, url, metrics: noMetrics };
  const { signal } = new AbortController();
  return preparePublication({ capture: captureOptions(part, pool), signal });
}

async function statementsFor(
  { pool }: Connected,
  { prefix }: RolesOptions,
): Promise<readonly string[]> {
  if (!/^[a-z_][a-z0-9_]{0,40}$/.test(prefix)) {
    throw new CommandFailure(
      "usage",
      `--prefix takes a lower-case name of at most 41 characters, not "${prefix}".`,
    );
  }
  const { rows } = await pool.query<{ database: string; tables: readonly string[] | null }>(
    `select current_database()::text as database,
       (select array_agg(oid::regclass::text order by relname) from pg_class
        where relnamespace = 'refold'::regnamespace and relkind = 'r'
          and relname like 'state\\_\\_%') as tables`,
  );
  const [found] = rows;
  return rolesSql({
    prefix,
    database: found?.database ?? "",
    stateTables: found?.tables ?? [],
  });
}
