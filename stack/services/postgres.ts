import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { Client } from "pg";

import { giveTo, launchAs, serverAccount } from "../postgres/account.ts";
import { findPostgresBinaries } from "../postgres/binaries.ts";
import { runCommand } from "./commands.ts";
import { freePort, startServer } from "./process.ts";
import { ServiceError, type Service, type ServiceFolders } from "./service.ts";

export interface PostgresService {
  readonly folders: ServiceFolders;
  /** Folder with `initdb` and `postgres`; without it the server that came from npm is used. */
  readonly binaries?: string;
  readonly timeZone: string;
}

const user = "postgres";

/** A server on loopback for captures to read; nothing in it survives the stack. */
export async function startPostgres(options: PostgresService): Promise<Service> {
  const { initdb, postgres } = await programs(options.binaries);
  const account = await serverAccount();
  const folder = join(options.folders.data, "postgres");
  const data = join(folder, "data");
  await mkdir(data, { recursive: true, mode: 0o755 });
  await giveTo(data, account);
  const made = await launchAs(account, initdb, [
    "-D",
    data,
    `--username=${user}`,
    "--auth=trust",
    "--no-sync",
    "--encoding=UTF8",
    "--locale=C",
  ]);
  const remedy = `Empty the folder ${data} and start again.`;
  await runCommand({ ...made, program: made.command, remedy, cwd: "/" });
  const port = await freePort();
  const url = `postgres://${user}@127.0.0.1:${port}/postgres`;
  const given = Object.entries(settings(port, options.timeZone));
  const launched = await launchAs(account, postgres, [
    "-D",
    data,
    ...given.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]);
  return startServer({
    ...launched,
    name: "postgres",
    url,
    folder,
    isReady: () => answers(url),
    startTimeoutMs: 60_000,
    stopSignal: "SIGINT",
  });
}

async function programs(folder: string | undefined): Promise<{ initdb: string; postgres: string }> {
  if (folder === undefined) return findPostgresBinaries();
  const found = { initdb: join(folder, "initdb"), postgres: join(folder, "postgres") };
  if (existsSync(found.initdb) && existsSync(found.postgres)) return found;
  throw new ServiceError(
    `There are no programs initdb and postgres in ${folder}: name the folder of an installed ` +
      `server (on Debian ${dirname("/usr/lib/postgresql/15/bin/postgres")}), or none.`,
  );
}

function settings(port: number, timeZone: string): Record<string, string | number> {
  return {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    timezone: timeZone,
    wal_level: "logical",
    max_connections: 100,
    max_wal_senders: 40,
    max_replication_slots: 40,
    max_prepared_transactions: 10,
    // Its data is thrown away at the end.
    fsync: "off",
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  await client.query("select 1");
  await client.end();
  return true;
}
