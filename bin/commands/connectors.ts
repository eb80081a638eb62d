import { Command } from "commander";

import { applyConnectors, type AppliedConnector } from "../../connectors/debezium/index.ts";
import { connectClientOf } from "../connectors/client.ts";
import { readConnectors, type ConnectorReport } from "../connectors/report.ts";
import { applyOptions, prepareLog, wantedConnectors } from "../connectors/wanted.ts";
import { placeOf } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";
import { assertOnlyCapture } from "../system/captured.ts";
import { connect as connectTo } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

interface ApplyCommandOptions extends OptionsOnDatabase {
  readonly timeout: number;
}

interface StatusOptions extends OptionsOnDatabase {
  readonly json?: true;
}

/** `refold connectors apply` and `refold connectors status`. */
export function connectorsCommand(): Command {
  return new Command("connectors")
    .description("Debezium's connectors on Kafka Connect, which capture in place of this code")
    .addCommand(applyCommand())
    .addCommand(statusCommand());
}

function applyCommand(): Command {
  return commandOnDatabase("apply")
    .description("make slots, publications and connectors as they should be; again changes nothing")
    .option(
      "--timeout <seconds>",
      "how long the connectors may take until they run",
      wholeNumber(1, 3_600),
      60,
    )
    .action(async (options: ApplyCommandOptions) => {
      const place = placeOf(options);
      const connect = connectClientOf(place.servers);
      await using connected = await connectTo("connectors apply", options, { schema: "migrate" });
      const connectors = await wantedConnectors({ place, connected, connect });
      await assertOnlyCapture({ definitions: application, pool: connected.pool }, "debezium");
      await prepareLog(connected);
      const timeoutMs = options.timeout * 1_000;
      const applied = await applyConnectors(
        applyOptions({ connected, connect, connectors, timeoutMs }),
      );
      process.stdout.write(`${applied.map(appliedText).join("\n")}\n`);
    });
}

function statusCommand(): Command {
  return commandOnDatabase("status")
    .description(
      "how the connectors and their slots stand, and where they differ from what is kept",
    )
    .option("--json", "as JSON")
    .action(async (options: StatusOptions) => {
      const place = placeOf(options);
      const connect = connectClientOf(place.servers);
      await using connected = await connectTo("connectors status", options);
      const connectors = await wantedConnectors({ place, connected, connect });
      const reports = await readConnectors({ connect, pool: connected.pool, connectors });
      const text = options.json
        ? JSON.stringify(reports, undefined, 2)
        : reports.map(reportText).join("\n");
      process.stdout.write(`${text}\n`);
      if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = exitCodes.failed;
    });
}

function appliedText({ name, was, anew }: AppliedConnector): string {
  const text = { new: "made", changed: "changed", unchanged: "as it was" }[was];
  return `${name.padEnd(18)} ${text}, runs${anew === undefined ? "" : anewText(anew)}`;
}

function anewText({ fault, events, rows, removed }: NonNullable<AppliedConnector["anew"]>): string {
  const why = {
    "never-ran": "it begins at a new slot",
    "slot-missing": "its slot was gone and is made anew",
    "slot-lost": "its slot was lost and is made anew",
    "slot-replaced": "its slot was replaced or advanced by somebody and is made anew",
  }[fault];
  return (
    `; ${why}. Published before that: ${events} events and notices that the log lacked, ${rows} ` +
    `rows of captured tables, ${removed} removals of rows that are gone`
  );
}

function reportText(report: ConnectorReport): string {
  const { name, state, slot, keptBytes, faults } = report;
  const kept = keptBytes === undefined ? "no slot" : `${keptBytes} bytes of write-ahead log kept`;
  const lines = [`${name.padEnd(18)} ${state.padEnd(10)} slot ${slot}: ${kept}`];
  return [...lines, ...faults.map((fault) => `  ${fault}`)].join("\n");
}
