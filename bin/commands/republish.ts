import type { Command } from "commander";

import {
  republish,
  republishToLog,
  type Republished,
  type RepublishToLogOptions,
} from "../../connectors/capture/index.ts";
import { whileStopped } from "../../connectors/debezium/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { connectClientOf } from "../connectors/client.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";
import { systemClock } from "../system-clock.ts";
import { outboxTables } from "../system/capture.ts";
import { connect, type Connected } from "../system/connect.ts";
import { eventsConnectorName } from "../system/debezium.ts";
import { application } from "../system/definitions.ts";

/** How long the events' connector may take to stop, and to go on. */
const connectorTimeoutMs = 60_000;

interface RepublishOptions extends OptionsOnDatabase {
  readonly from: number;
}

/** `refold republish <lane> --from <sequence>`: mends a lane of the log out of the event store. */
export function republishCommand(): Command {
  return commandOnDatabase("republish")
    .description(
      "append a lane of the log again, from a sequence to its end, out of the event store",
    )
    .argument("<lane>", "topic/partition, as a hole is reported")
    .requiredOption(
      "--from <sequence>",
      "the first sequence that is missing",
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .action(mend);
}

async function mend(lane: string, options: RepublishOptions): Promise<void> {
  const place = { ...parseLane(lane), from: options.from };
  await using connected = await connect("republish", options);
  const { url, embeddedLog } = connected;
  const wanted = { url, outboxTables, ...place };
  const done = embeddedLog
    ? await republish({ ...wanted, slot: application.slotName })
    : await republishToKafka(connected, wanted);
  process.stdout.write(`${doneText(done, options.from)}\n`);
}

/** Whoever publishes events is paused meanwhile. */
function republishToKafka(
  { servers, log }: Connected,
  wanted: Omit<RepublishToLogOptions, "log" | "slot">,
): Promise<Republished> {
  if (servers.capture === "embedded") {
    return republishToLog({ ...wanted, log, slot: application.slotName });
  }
  const wait = {
    connect: connectClientOf(servers),
    clock: systemClock,
    timeoutMs: connectorTimeoutMs,
    signal: new AbortController().signal,
  };
  const name = eventsConnectorName(application);
  return whileStopped(wait, name, () => republishToLog({ ...wanted, log }));
}

function parseLane(lane: string): { readonly topic: string; readonly partition: number } {
  const found = /^(.+)\/(\d{1,9})$/.exec(lane);
  if (found?.[1] !== undefined) return { topic: found[1], partition: Number(found[2]) };
  throw new CommandFailure(
    "usage",
    `${lane} is no lane: name it as topic/partition, modules/3 say.`,
  );
}

function doneText({ skipped, to, records }: Republished, from: number): string {
  const { topic, partition } = skipped;
  const passed =
    skipped.from === skipped.to
      ? "No offset is skipped."
      : `Offsets ${skipped.from} to ${skipped.to - 1} are skipped by every reader from now on.`;
  return (
    `Appended ${records} records of ${topic}/${partition}, sequences ${from} to ${to}. ${passed}\n` +
    "What was halted by the hole goes on by itself within seconds."
  );
}
