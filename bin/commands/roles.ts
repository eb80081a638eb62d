import type { Command } from "commander";

import { CommandFailure } from "../command-failure.ts";
import { openDatabase } from "../database.ts";
import { placeOf, type Place } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { keepCompiledCode } from "../keep-compiled-code.ts";
import { assertPortFree } from "../port.ts";
import {
  apiOf,
  commandWithApi,
  commandWithProbes,
  type OptionsWithApi,
  type OptionsWithProbes,
  probesOf,
  withProjections,
} from "../program.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import { StopSignals } from "../stop-signals.ts";
import { runRoles, type HttpRole } from "../system/run-roles.ts";
import { rebuildingOf } from "../system/rebuilds.ts";
import type { Role } from "../system.ts";
import { reportToTerminal } from "../terminal.ts";
import { untilStopped } from "../until-stopped.ts";

/** `refold api`: commands and queries, as a process of its own. */
export function apiCommand(): Command {
  return commandWithApi("api")
    .description("serve the API alone; refold worker and refold capture do the rest")
    .action(async (options: OptionsWithApi) => {
      const http = { serves: "api", ...apiOf(options) } as const;
      await assertPortFree(options);
      await runAlone({ name: "api", place: placeOf(options), roles: new Set(), http });
    });
}

/** `refold worker`: processors and projections; each partition is worked on by one of them. */
export function workerCommand(): Command {
  return withProjections(commandWithProbes("worker"))
    .description("run processors and projections alone; as many workers as wanted share the work")
    .action((options: OptionsWithProbes) => {
      const http = { serves: "probes", ...probesOf(options) } as const;
      const roles = new Set(["consumers"] as const);
      return runAlone({ name: "worker", place: placeOf(options), roles, http });
    });
}

/** `refold capture`: the embedded capture alone. */
export function runCapture(options: OptionsWithProbes): Promise<void> {
  const place = placeOf(options);
  if (place.servers.capture === "debezium") {
    throw new CommandFailure(
      "usage",
      "With CAPTURE=debezium the connectors capture: run refold connectors apply, or set " +
        "CAPTURE=embedded.",
    );
  }
  const http = { serves: "probes", ...probesOf(options) } as const;
  return runAlone({ name: "capture", place, roles: new Set(["capture"]), http });
}

interface Alone {
  readonly name: "api" | "worker" | "capture";
  readonly place: Place;
  readonly roles: ReadonlySet<Role>;
  readonly http: HttpRole;
}

/** Runs one role until somebody ends it. */
async function runAlone({ name, place, roles, http }: Alone): Promise<void> {
  using signals = new StopSignals(() => process.exit(exitCodes.interrupted));
  await using database = await openDatabase({
    place,
    command: name,
    missing: "refuse",
    whenHeld: "join",
  });
  if (database.kind === "own") throw notShared(name);
  await using stop = new StopInTurn(reportToTerminal);
  const { servers, auditRestMs, paymentSettings, offerMs } = place;
  const rebuilding = rebuildingOf(place);
  const part = { database, servers, name, roles, stop, http, rebuilding, auditRestMs };
  const { url, failures } = await runRoles({ ...part, paymentSettings, offerMs });
  const ready =
    http.serves === "api"
      ? `The API listens on ${url}.`
      : `The ${name} runs. Its health and metrics are on ${url}.`;
  process.stdout.write(`${ready} Ctrl-C ends it.\n`);
  keepCompiledCode();
  await untilStopped(signals.stop, failures);
  process.stdout.write("\nStopping: what is in flight is finished first.\n");
}

function notShared(name: string): CommandFailure {
  return new CommandFailure(
    "usage",
    `refold ${name} works beside other processes on one database: set DATABASE_URL, or name the ` +
      "data folder of a running refold start.",
  );
}
