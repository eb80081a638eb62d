import type { Command } from "commander";

import { republish, type Republished } from "../../connectors/capture/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { commandOnDatabase, wholeNumber, type OptionsOnDatabase } from "../program.ts";
import { outboxTables } from "../system/capture.ts";
import { assertEmbeddedLog, connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

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
  const { topic, partition } = parseLane(lane);
  await using connected = await connect("republish", options);
  assertEmbeddedLog(connected);
  const done = await republish({
    url: connected.url,
    slot: application.slotName,
    outboxTables,
    topic,
    partition,
    from: options.from,
  });
  process.stdout.write(`${doneText(done, options.from)}\n`);
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
    "What was halted by the hole goes on when it is started again."
  );
}
