import type { Command } from "commander";

import { CommandFailure } from "../command-failure.ts";
import { exitCodes } from "../exit-codes.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { ReopenedLooks } from "../status/looks.ts";
import { screen } from "../status/screen.ts";
import { statusText } from "../status/text.ts";
import { lookUntilKnown, watch } from "../status/watch.ts";
import { StopSignals } from "../stop-signals.ts";
import { systemClock } from "../system-clock.ts";
import { reportToTerminal } from "../terminal.ts";

interface StatusOptions extends OptionsOnDatabase {
  readonly json?: true;
  readonly partitions?: true;
  readonly watch?: true;
  readonly interval?: number;
}

/** Between two looks of a watch, unless it is told. */
const intervalSeconds = 2;

/** Between the looks of a single answer. */
const betweenLooksMs = 1_000;

/** `refold status`: positions, lag and state, from the servers alone, whatever runs. */
export function statusCommand(): Command {
  return commandOnDatabase("status")
    .description("position, end, lag, rate, state and verdict of every projection and processor")
    .option("--partitions", "list every partition, not only those of consumers in trouble")
    .option("--json", "everything as JSON; with --watch, a line for each look")
    .option("--watch", "look again and again, until Ctrl-C")
    .option(
      "--interval <seconds>",
      `between two looks of --watch (default: ${intervalSeconds})`,
      wholeNumber(1, 3_600),
    )
    .addHelpText("after", verdictsText)
    .action(status);
}

const verdictsText = `
Verdicts (they judge progress, never the size of a lag):
  ok            nothing is behind, or less than a second while it moves
  catching up   it is behind, and moves; the trend says whether the lag falls
  stalled       it is behind, says that it works, and hasn't moved for 5 s or more
  stopped       no process says that it works on it
  halted        it has stopped itself; the reason stands beside it
`;

async function status(options: StatusOptions): Promise<void> {
  if (options.interval !== undefined && options.watch === undefined) {
    throw new CommandFailure("usage", "--interval goes with --watch.");
  }
  using signals = new StopSignals(() => process.exit(exitCodes.interrupted));
  await using looks = new ReopenedLooks(options);
  await (options.watch ? watchStatus : tellStatus)(options, { looks, signal: signals.stop });
}

interface Looking {
  readonly looks: ReopenedLooks;
  readonly signal: AbortSignal;
}

async function tellStatus(options: StatusOptions, { looks, signal }: Looking): Promise<void> {
  const look = () => looks.look();
  const waits = { clock: systemClock, intervalMs: betweenLooksMs, signal };
  const report = await lookUntilKnown(look, waits);
  const text = options.json
    ? JSON.stringify(report, undefined, 2)
    : statusText(report, options.partitions ? "all" : "troubled");
  process.stdout.write(`${text}\n`);
}

async function watchStatus(options: StatusOptions, { looks, signal }: Looking): Promise<void> {
  const intervalMs = (options.interval ?? intervalSeconds) * 1_000;
  await looks.assertShared();
  await watch({
    look: () => looks.look(),
    show: screen({
      out: process.stdout,
      partitions: options.partitions ? "all" : "troubled",
      intervalMs,
      format: options.json ? "json" : "text",
    }),
    failed: (error) => {
      const why = error instanceof Error ? error.message : String(error);
      reportToTerminal(`the status can't be read, and is looked at again: ${why}`);
    },
    clock: systemClock,
    intervalMs,
    signal,
  });
}
