import type { Command } from "commander";

import {
  captureStatus,
  repairCapture,
  type CaptureStatus,
  type Repaired,
} from "../../connectors/capture/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { CommandFailure } from "../command-failure.ts";
import { connectClientOf } from "../connectors/client.ts";
import {
  takeOverByConnectors,
  takeOverByEmbedded,
  type TakenOver,
} from "../connectors/take-over.ts";
import { applyOptions, prepareLog, wantedConnectors } from "../connectors/wanted.ts";
import { placeOf } from "../environment.ts";
import {
  commandOnDatabase,
  commandWithProbes,
  wholeNumber,
  type OptionsOnDatabase,
} from "../program.ts";
import type { CaptureKind } from "../servers.ts";
import { runCapture } from "./roles.ts";
import { captureOptions, capturePublication } from "../system/capture.ts";
import { connect, type Connected } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

interface StatusOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface TakeOverCommandOptions extends OptionsOnDatabase {
  readonly timeout: number;
}

interface RepairOptions extends OptionsOnDatabase {
  readonly always?: true;
}

/** `refold capture`, and below it `status`, `repair` and `take-over`. */
export function captureCommand(): Command {
  return (
    commandWithProbes("capture")
      .description("run the change capture alone; or see how it stands, or mend it")
      // Otherwise the options of its subcommands would be taken for its own.
      .enablePositionalOptions()
      .action(runCapture)
      .addCommand(statusCommand())
      .addCommand(repairCommand())
      .addCommand(takeOverCommand())
  );
}

function statusCommand(): Command {
  return commandOnDatabase("status")
    .description("the slot, what is published, and whether the capture can go on")
    .option("--json", "as JSON")
    .action(async (options: StatusOptions) => {
      await using connected = await connect("capture status", options);
      const status = await captureStatus(connected.url, application.slotName);
      const text = options.json
        ? JSON.stringify({ ...status, fault: faultText(status) ?? null }, undefined, 2)
        : statusText(status);
      process.stdout.write(`${text}\n`);
    });
}

function repairCommand(): Command {
  return commandOnDatabase("repair")
    .description(
      "make a new slot and publish what the log lacks, when the slot is lost, advanced or replaced",
    )
    .option("--always", "also when the capture could go on as it is")
    .action(async (options: RepairOptions) => {
      await using connected = await connect("capture repair", options);
      assertEmbeddedCapture(connected);
      const { url, log } = connected;
      const pool = makePool({ url, name: "capture repair", connectionsMax: 2 });
      const part = { definitions: application, stores: connected, url, metrics: noMetrics };
      try {
        const repaired = await repairCapture({
          capture: captureOptions(part, pool),
          log,
          when: options.always ? "always" : "needed",
          signal: new AbortController().signal,
        });
        process.stdout.write(`${repairedText(repaired)}\n`);
      } finally {
        await pool.end();
      }
    });
}

function takeOverCommand(): Command {
  return commandOnDatabase("take-over")
    .description("let the capture that CAPTURE names go on exactly where the other one is")
    .option(
      "--timeout <seconds>",
      "how long each step of the connectors may take",
      wholeNumber(1, 3_600),
      60,
    )
    .action(async (options: TakeOverCommandOptions) => {
      const place = placeOf(options);
      const client = connectClientOf(place.servers);
      await using connected = await connect("capture take-over", options, { schema: "migrate" });
      const connectors = await wantedConnectors({ place, connected, connect: client });
      await prepareLog(connected);
      const timeoutMs = options.timeout * 1_000;
      const { url, pool } = connected;
      const part = { definitions: application, stores: connected, url, metrics: noMetrics };
      const taking = {
        ...applyOptions({ connected, connect: client, connectors, timeoutMs }),
        pool,
        capture: {
          ...captureOptions(part, pool),
          slot: application.slotName,
          publication: capturePublication,
        },
      };
      const wanted = place.servers.capture;
      const done = await takeOver[wanted](taking);
      process.stdout.write(`${takenText(wanted, done)}\n`);
    });
}

const takeOver = { debezium: takeOverByConnectors, embedded: takeOverByEmbedded } as const;

function takenText(wanted: CaptureKind, done: TakenOver): string {
  const where =
    done === "already"
      ? "had taken over already, and what was left of the other is gone"
      : `goes on from ${done.lsn}: all that committed before is published`;
  return wanted === "debezium"
    ? `Debezium ${where}. Its connectors run. Start every process with CAPTURE=debezium from now on.`
    : `The embedded capture ${where}. Start refold capture, and every process with ` +
        "CAPTURE=embedded from now on.";
}

function assertEmbeddedCapture({ servers }: Connected): void {
  if (servers.capture === "embedded") return;
  throw new CommandFailure(
    "usage",
    "With CAPTURE=debezium the connectors capture: refold connectors apply mends what they lost.",
  );
}

function faultText({ fault }: CaptureStatus): string | undefined {
  return fault && `${fault.code}: ${fault.message}`;
}

function statusText(status: CaptureStatus): string {
  const { slot, state, publishedLsn, publishedAt, lagBytes, server, tables } = status;
  const lines: [string, string | undefined][] = [
    ["slot", slot],
    ["state", state],
    ["published", publishedLsn && `what committed before ${publishedLsn}, at ${publishedAt}`],
    ["behind", lagBytes === undefined ? undefined : `${lagBytes} bytes of write-ahead log`],
    ["server", server],
    ["tables", tables.join(", ")],
    ["fault", faultText(status)],
  ];
  return lines
    .filter(([, text]) => text !== undefined && text !== "")
    .map(([name, text]) => `${name.padEnd(10)} ${text}`)
    .join("\n");
}

function repairedText(repaired: Repaired | undefined): string {
  if (!repaired) return "Nothing to repair: the capture can go on as it is.";
  const { fault, events, rows, removed } = repaired;
  const why = fault ? ` (it was ${fault.code})` : "";
  return (
    `The capture has a new slot${why}. Published: ${events} events and notices that the log ` +
    `lacked, ${rows} rows of captured tables, ${removed} removals of rows that are gone.\n` +
    "Start the system again: it goes on from here."
  );
}
