import type { Command } from "commander";

import { openDatabase, type Database } from "../database.ts";
import { placeOf } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { keepCompiledCode } from "../keep-compiled-code.ts";
import { assertPortFree } from "../port.ts";
import {
  apiOf,
  commandWithApi,
  type OptionsOnDatabase,
  type OptionsWithApi,
  withProjections,
} from "../program.ts";
import { withoutPassword } from "../shown-url.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import { StopSignals } from "../stop-signals.ts";
import { runRoles } from "../system/run-roles.ts";
import { rebuildingOf } from "../system/rebuilds.ts";
import { reportToTerminal } from "../terminal.ts";
import { untilStopped } from "../until-stopped.ts";
import { welcomeText } from "../welcome.ts";

/** `refold start`: everything in one process. */
export function startCommand(): Command {
  return withProjections(commandWithApi("start"))
    .description("run everything in one process: Postgres, capture, processors, projections, API")
    .action(start);
}

async function start(options: OptionsWithApi): Promise<void> {
  const http = { serves: "api", ...apiOf(options) } as const;
  const place = placeOf(options);
  await assertPortFree(options);
  let database: Database | undefined;
  using signals = new StopSignals(() => {
    if (database?.kind === "own") database.abandon();
    process.exit(exitCodes.interrupted);
  });
  database = await openDatabase({
    place,
    command: "start",
    missing: "make",
    whenHeld: "refuse",
  });
  await using _database = database;
  await using stop = new StopInTurn(reportToTerminal);
  const roles = new Set(["capture", "consumers"] as const);
  const { servers, auditRestMs, paymentSettings, offerMs } = place;
  const rebuilding = rebuildingOf(place);
  const running = { database, servers, name: "start", roles, http, stop, rebuilding };
  const settings = { auditRestMs, paymentSettings, offerMs };
  const { url: httpUrl, failures } = await runRoles({ ...running, ...settings });
  if (database.kind === "own") await database.folder.announce({ httpUrl });
  const dataFolder = database.kind === "own" ? database.folder.path : undefined;
  // The data folder's own is made for this machine; the user's is a secret of theirs.
  const databaseUrl = database.kind === "own" ? database.url : withoutPassword(database.url);
  const told = { findBy: findBy(options), access: http.access === "off" ? "off" : "on" } as const;
  process.stdout.write(welcomeText({ httpUrl, databaseUrl, dataFolder, ...told }));
  keepCompiledCode();
  const failed = database.kind === "own" ? [database.failed] : [];
  await untilStopped(signals.stop, [...failed, ...failures]);
  process.stdout.write("\nStopping: what is in flight is finished first.\n");
}

/** The options by which other commands find this instance. */
function findBy(options: OptionsOnDatabase): string {
  if (options.databaseUrl !== undefined) {
    return `--database-url ${withoutPassword(options.databaseUrl)}`;
  }
  return options.data === undefined ? "" : `--data ${options.data}`;
}
