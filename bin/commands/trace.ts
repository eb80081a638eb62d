import type { Command } from "commander";

import { traceShape } from "../../api/traces/shape.ts";
import { defaultTransactionLimits, traceOf } from "../../engine/tracing/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import { traceSources } from "../system/traces.ts";
import { traceText } from "../trace/trace-text.ts";

interface TraceOptions extends OptionsOnDatabase {
  readonly eventsMax: number;
  readonly json?: true;
}

/** `refold trace <id>`: everything that one business transaction has led to. */
export function traceCommand(): Command {
  const kinds = application.transactionTags.join(", ");
  return commandOnDatabase("trace")
    .description("the time line of one business transaction: requests, events, effects, rows")
    .argument("<id>", `a correlation id, a trace id, an event's id, or the id of a ${kinds}`)
    .option("--json", "as JSON, with the events' fields whole")
    .option(
      "--events-max <number>",
      "tell at most so many events",
      wholeNumber(1, 100_000),
      defaultTransactionLimits.eventsMax,
    )
    .action(async (id: string, options: TraceOptions) => {
      await using stores = await connect("trace", options);
      const limits = { ...defaultTransactionLimits, eventsMax: options.eventsMax };
      const trace = await traceOf(traceSources(stores, application), id, limits);
      if (trace === undefined) throw nothingOf(id);
      const text = options.json ? jsonOf(traceShape(trace)) : traceText(trace);
      process.stdout.write(`${text}\n`);
    });
}

const nothingOf = (id: string): CommandFailure =>
  new CommandFailure(
    "nothingThere",
    `No event has to do with ${id}. A command that was refused leaves none; ids are told by ` +
      "X-Correlation-Id, by the answers of commands, and by refold log.",
  );
