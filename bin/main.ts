import { Command, CommanderError } from "commander";

import { failureOf } from "./command-failure.ts";
import { commandsFor } from "./commands/catalogue.ts";
import { exitCodes, exitCodesText } from "./exit-codes.ts";
import { refoldVersion } from "./version.ts";

async function program(): Promise<Command> {
  const refold = new Command("refold")
    .description("Stream processing and CQRS projections, with module registration on them.")
    .version(refoldVersion())
    // Otherwise an option behind a subcommand's subcommand would be taken for the one between.
    .enablePositionalOptions();
  for (const command of await commandsFor(process.argv.slice(2))) refold.addCommand(command);
  return refold
    .addHelpText("after", `\n${exitCodesText()}`)
    .showHelpAfterError("(refold --help tells the commands and options)");
}

/** Commander's own errors are faults of the command line; help and version are none. */
function throwCommanderErrors(command: Command): Command {
  command.exitOverride();
  for (const sub of command.commands) throwCommanderErrors(sub);
  return command;
}

try {
  await throwCommanderErrors(await program()).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    const { code, message } = failureOf(error);
    process.stderr.write(`refold: ${message}\n`);
    process.exitCode = code;
  }
}
// What is closed can leave timers and sockets of libraries behind: they must not keep us here.
process.exit();
