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
import { commandOnDatabase, commandWithProbes, type OptionsOnDatabase } from "../program.ts";
import { runCapture } from "./roles.ts";
import { captureOptions } from "../system/capture.ts";
import { connect, type Connected } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

interface StatusOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface RepairOptions extends OptionsOnDatabase {
  readonly always?: true;
}

/** `refold capture`, `refold capture status` and `refold capture repair`. */
export function captureCommand(): Command {
  return (
    commandWithProbes("capture")
      .description("run the change capture alone; or see how it stands, or mend it")
      // Otherwise the options of its subcommands would be taken for its own.
      .enablePositionalOptions()
      .action(runCapture)
      .addCommand(statusCommand())
      .addCommand(repairCommand())
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
