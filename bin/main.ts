import { readFileSync } from "node:fs";

import { Command, CommanderError } from "commander";

import { failureOf } from "./command-failure.ts";
import { importCommand } from "./commands/import.ts";
import { logCommand } from "./commands/log.ts";
import { schemaCommand } from "./commands/schema.ts";
import { startCommand } from "./commands/start.ts";
import { statusCommand } from "./commands/status.ts";
import { exitCodes, exitCodesText } from "./exit-codes.ts";
import { connect } from "./system/connect.ts";

function version(): string {
  // Beside bin in a checkout, beside dist in the published package.
  for (const up of ["../package.json", "../../package.json"]) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8"));
      const { name, version } = manifest as { name?: string; version?: string };
      if (name === "refold" && version !== undefined) return version;
    } catch {
      // The next place.
    }
  }
  return "unknown";
}

function program(): Command {
  return new Command("refold")
    .description("Stream processing and CQRS projections, with module registration on them.")
    .version(version())
    .addCommand(startCommand())
    .addCommand(statusCommand())
    .addCommand(logCommand((options) => connect("log", options)))
    .addCommand(schemaCommand((options) => connect("schema", options)))
    .addCommand(importCommand())
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
