import { Command } from "commander";

import { defaultDemoOptions as defaults, type DemoOptions } from "../demo/options.ts";
import { runDemo } from "../demo/run-demo.ts";
import { Screen } from "../demo/view/screen.ts";
import { exitCodes } from "../exit-codes.ts";
import { wholeNumber } from "../program.ts";
import { StopSignals } from "../stop-signals.ts";
import { systemClock } from "../system-clock.ts";

/** `refold demo`: a registration day in less than two minutes, killed in its middle, and proved. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("a registration day with a kill in its middle, a proof and a rebuild, by itself")
    .option("--students <n>", "how many come", wholeNumber(10, 1_000_000), defaults.students)
    .option("--modules <n>", "how many are on offer", wholeNumber(1, 500), defaults.modules)
    .option(
      "--per-second <n>",
      "wishes that arrive a second, on average",
      wholeNumber(1, 100_000),
      defaults.perSecond,
    )
    .option(
      "--hold-seconds <n>",
      "how long a seat is held for its payment",
      wholeNumber(1, 3_600),
      defaults.holdSeconds,
    )
    .option("--seed <n>", "another crowd", wholeNumber(0, 4_294_967_295), defaults.seed)
    .option("--port <port>", "port of the API; 0 takes a free one", wholeNumber(0, 65_535), 0)
    .option("--data <dir>", "a new data folder, which stays (default: one that is removed)")
    .option("--keep", "leave the data folder")
    .action(demo);
}

type GivenOptions = Omit<DemoOptions, "keep" | "data"> & {
  readonly keep?: true;
  readonly data?: string;
};

async function demo(given: GivenOptions): Promise<void> {
  using signals = new StopSignals(() => process.exit(exitCodes.interrupted));
  const { data, keep = false } = given;
  const screen = new Screen({ out: process.stdout, nowMs: () => systemClock.monotonicMs() });
  const program = process.argv[1] ?? "";
  const options = { ...given, data, keep };
  const holds = await runDemo({ options, screen, program, signal: signals.stop });
  process.exitCode = holds ? exitCodes.ok : exitCodes.failed;
}
