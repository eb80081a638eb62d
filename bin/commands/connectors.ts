import { Command } from "commander";

import {
  applyConnectors,
  type AppliedConnector,
  type ConnectClient,
} from "../../connectors/debezium/index.ts";
import { changeSubjects } from "../../connectors/registry/index.ts";
import type { SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import { CommandFailure } from "../command-failure.ts";
import { connectClientOf } from "../connectors/client.ts";
import { recaptureFor } from "../connectors/recapture.ts";
import { readConnectors, type ConnectorReport } from "../connectors/report.ts";
import { placeOf, type Place } from "../environment.ts";
import { exitCodes } from "../exit-codes.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";
import { systemClock } from "../system-clock.ts";
import { prepareTopics } from "../system.ts";
import { transactionTopic } from "../system/capture.ts";
import { connect, type Connected } from "../system/connect.ts";
import { debeziumConnectors } from "../system/debezium.ts";
import { application } from "../system/definitions.ts";
import { checkFramingRegistry } from "../system/registry.ts";

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
      const client = connectClientOf(place.servers);
      await using connected = await connect("connectors apply", options, "migrate");
      const connectors = await wantedConnectors(place, connected, client);
      await checkFramingRegistry(connected);
      await prepareTopics(connected, application);
      await allowTableChanges(connected.registry);
      const { signal } = new AbortController();
      const applied = await applyConnectors({
        connect: client,
        pool: connected.pool,
        clock: systemClock,
        connectors,
        timeoutMs: options.timeout * 1_000,
        signal,
        recapture: recaptureFor({
          definitions: application,
          stores: connected,
          url: connected.url,
          signal,
        }),
      });
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
      const client = connectClientOf(place.servers);
      await using connected = await connect("connectors status", options);
      const connectors = await wantedConnectors(place, connected, client);
      const reports = await readConnectors({ connect: client, pool: connected.pool, connectors });
      const text = options.json
        ? JSON.stringify(reports, undefined, 2)
        : reports.map(reportText).join("\n");
      process.stdout.write(`${text}\n`);
      if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = exitCodes.failed;
    });
}

async function wantedConnectors(place: Place, { url }: Connected, client: ConnectClient) {
  const { registryUrl, fromConnect } = place.servers;
  const registry = fromConnect.registryUrl ?? registryUrl;
  if (registry === undefined) {
    throw new CommandFailure(
      "usage",
      "Set SCHEMA_REGISTRY_URL: the connector of the catalogue's tables writes Avro.",
    );
  }
  return debeziumConnectors({
    definitions: application,
    databaseUrl: fromConnect.databaseUrl ?? url,
    registryUrl: registry,
    plugins: new Set((await client.plugins()).keys()),
  });
}

/** A changed table must not stop its capture: the converter's subjects promise nothing. */
async function allowTableChanges(registry: SchemaRegistry): Promise<void> {
  for (const { name } of [...application.changeTopics, transactionTopic]) {
    const { key, value } = changeSubjects(name);
    for (const subject of [key, value]) {
      if ((await registry.compatibility(subject)) === "NONE") continue;
      await registry.setCompatibility("NONE", subject);
    }
  }
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
