import type { Command } from "commander";

import { openDatabase } from "../database.ts";
import { placeOf } from "../environment.ts";
import { assertLoopback, assertPortFree, type Address } from "../port.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";

interface StartOptions extends OptionsOnDatabase, Address {}

/** `refold start`: everything in one process. */
export function startCommand(): Command {
  return commandOnDatabase("start")
    .description("run everything in one process: Postgres, capture, processors, projections, API")
    .option("--port <port>", "port of the API; 0 takes a free one", wholeNumber(0, 65_535), 8080)
    .option("--host <host>", "address of the API, on loopback", "127.0.0.1")
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  assertLoopback(options.host);
  await assertPortFree(options);
  const place = placeOf(options);
  await using database = await openDatabase({
    place,
    command: "start",
    missing: "make",
    whenHeld: "refuse",
  });
  process.stdout.write(`${database.url}\n`);
}
