import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Command } from "commander";

import { CommandFailure } from "../command-failure.ts";

/** Named when it is loaded and not as an import: the published package is built without it. */
const harness = new URL("../../benchmarks/harness/command.ts", import.meta.url);

/** `refold bench`, which is part of a checkout. */
export async function benchCommand(): Promise<Command> {
  if (!existsSync(fileURLToPath(harness))) return withoutCheckout();
  const { benchCommand } = (await import(harness.href)) as { benchCommand: () => Command };
  return benchCommand();
}

function withoutCheckout(): Command {
  return new Command("bench")
    .description("measure this machine (in a checkout of Refold)")
    .argument("[names...]")
    .allowUnknownOption()
    .action(() => {
      throw new CommandFailure(
        "nothingThere",
        "The benchmarks aren't part of the package: get Refold's repository, run npm ci in it, " +
          "and refold bench there.",
      );
    });
}
