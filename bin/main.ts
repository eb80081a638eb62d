import { Command, CommanderError } from "commander";

import { failureOf } from "./command-failure.ts";
import { atCommand } from "./commands/at.ts";
import { auditCommand } from "./commands/audit.ts";
import { captureCommand } from "./commands/capture.ts";
import { connectorsCommand } from "./commands/connectors.ts";
import { dlqCommand } from "./commands/dlq.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { effectsCommand } from "./commands/effects.ts";
import { healCommand } from "./commands/heal.ts";
import { importCommand } from "./commands/import.ts";
import { logCommand } from "./commands/log.ts";
import { previewCommand } from "./commands/preview.ts";
import { rebuildCommand } from "./commands/rebuild.ts";
import { republishCommand } from "./commands/republish.ts";
import { apiCommand, workerCommand } from "./commands/roles.ts";
import { schemaCommand } from "./commands/schema.ts";
import { startCommand } from "./commands/start.ts";
import { statusCommand } from "./commands/status.ts";
import { traceCommand } from "./commands/trace.ts";
import { whyCommand } from "./commands/why.ts";
import { exitCodes, exitCodesText } from "./exit-codes.ts";
import { connect } from "./system/connect.ts";
import { refoldVersion } from "./version.ts";

function program(): Command {
  return (
    new Command("refold")
      .description("Stream processing and CQRS projections, with module registration on them.")
      .version(refoldVersion())
      // Otherwise an option behind a subcommand's subcommand would be taken for the one between.
      .enablePositionalOptions()
      .addCommand(startCommand())
      .addCommand(apiCommand())
      .addCommand(workerCommand())
      .addCommand(statusCommand())
      .addCommand(logCommand((options) => connect("log", options)))
      .addCommand(schemaCommand((options) => connect("schema", options)))
      .addCommand(dlqCommand())
      .addCommand(effectsCommand())
      .addCommand(doctorCommand())
      .addCommand(importCommand())
      .addCommand(captureCommand())
      .addCommand(connectorsCommand())
      .addCommand(republishCommand())
      .addCommand(rebuildCommand())
      .addCommand(atCommand())
      .addCommand(auditCommand())
      .addCommand(healCommand())
      .addCommand(previewCommand())
      .addCommand(traceCommand())
      .addCommand(whyCommand())
      .addHelpText("after", `\n${exitCodesText()}`)
      .showHelpAfterError("(refold --help tells the commands and options)")
  );
}

/** Commander's own errors are faults of the command line; help and version are none. */
function throwCommanderErrors(command: Command): Command {
  command.exitOverride();
  for (const sub of command.commands) throwCommanderErrors(sub);
  return command;
}

try {
  await throwCommanderErrors(program()).parseAsync();
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
