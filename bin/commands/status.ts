import type { Command } from "commander";

import { commandOnDatabase, type OptionsOnDatabase } from "../program.ts";
import { gatherStatus } from "../status/gather.ts";
import { statusReport, type StatusReport } from "../status/report.ts";
import { statusText } from "../status/text.ts";
import { connect } from "../system/connect.ts";
import { debeziumSlots } from "../system/debezium.ts";
import { application } from "../system/definitions.ts";

interface StatusOptions extends OptionsOnDatabase {
  readonly json?: true;
  readonly partitions?: true;
}

/** `refold status`: positions, lag and state, from the servers alone, whatever runs. */
export function statusCommand(): Command {
  return commandOnDatabase("status")
    .description("position, end, lag, rate and state of every projection and processor")
    .option("--partitions", "list every partition, not only those of consumers in trouble")
    .option("--json", "everything as JSON")
    .action(status);
}

async function status(options: StatusOptions): Promise<void> {
  const report = await readStatus(options);
  const text = options.json
    ? JSON.stringify(report, undefined, 2)
    : statusText(report, options.partitions ? "all" : "troubled");
  process.stdout.write(`${text}\n`);
}

async function readStatus(options: StatusOptions): Promise<StatusReport> {
  await using stores = await connect("status", options);
  const { projections, processors, slotName } = application;
  // Of Debezium's slots the events': what commands record goes through it.
  const [slot = slotName] =
    stores.servers.capture === "debezium" ? debeziumSlots(application) : [slotName];
  const { redisUrl } = stores.servers;
  const facts = await gatherStatus({ ...stores, projections, processors, slot, redisUrl });
  return statusReport(facts);
}
