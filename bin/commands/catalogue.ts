import type { Command } from "commander";

import type { connect } from "../system/connect.ts";

/** The commands by name, in the order in which the help tells them. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).startCommand(),
  api: async () => (await import("./roles.ts")).apiCommand(),
  worker: async () => (await import("./roles.ts")).workerCommand(),
  status: async () => (await import("./status.ts")).statusCommand(),
  users: async () => (await import("./users.ts")).usersCommand(),
  sessions: async () => (await import("./sessions.ts")).sessionsCommand(),
  keys: async () => (await import("./keys.ts")).keysCommand(),
  log: async () => (await import("./log.ts")).logCommand((options) => connected("log", options)),
  schema: async () =>
    (await import("./schema.ts")).schemaCommand((options) => connected("schema", options)),
  dlq: async () => (await import("./dlq.ts")).dlqCommand(),
  effects: async () => (await import("./effects.ts")).effectsCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  import: async () => (await import("./import.ts")).importCommand(),
  capture: async () => (await import("./capture.ts")).captureCommand(),
  roles: async () => (await import("./database-roles.ts")).databaseRolesCommand(),
  connectors: async () => (await import("./connectors.ts")).connectorsCommand(),
  republish: async () => (await import("./republish.ts")).republishCommand(),
  rebuild: async () => (await import("./rebuild.ts")).rebuildCommand(),
  at: async () => (await import("./at.ts")).atCommand(),
  audit: async () => (await import("./audit.ts")).auditCommand(),
  heal: async () => (await import("./heal.ts")).healCommand(),
  preview: async () => (await import("./preview.ts")).previewCommand(),
  trace: async () => (await import("./trace.ts")).traceCommand(),
  demo: async () => (await import("./demo.ts")).demoCommand(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
  why: async () => (await import("./why.ts")).whyCommand(),
};

const connected: typeof connect = async (...args) =>
  (await import("../system/connect.ts")).connect(...args);

/**
 * The command that a command line begins with, or all of them: for the help, and for hints at what
 * may have been meant. What the others import would double the time that a command takes to start.
 */
export async function commandsFor(args: readonly string[]): Promise<readonly Command[]> {
  const [name = ""] = args;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return Promise.all(load ? [load()] : Object.values(commands).map((one) => one()));
}
