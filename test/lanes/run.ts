import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";

import { projectRoot } from "../support/source-tree.ts";
import { dockerServers } from "./docker.ts";
import { operationsTools } from "./operations-tools.ts";
import {
  browserPrograms,
  redisServers,
  stackServers,
  type Missing,
  type Servers,
} from "./servers.ts";

interface Lane {
  readonly name: string;
  /** Of vitest.stack.config.ts. */
  readonly project: string;
  readonly servers: () => Promise<Servers | Missing>;
  /**
   * Files that run at once (default: the configuration's). Where a file starts half a dozen processes
   * and measures how long they hold each other up, none may run beside it.
   */
  readonly filesAtOnce?: number;
}

const lanes: readonly Lane[] = [
  { name: "redis", project: "redis", servers: () => redisServers() },
  { name: "kafka", project: "kafka", servers: () => stackServers(), filesAtOnce: 1 },
  { name: "browser", project: "browser", servers: () => browserPrograms() },
  { name: "operations", project: "operations", servers: () => operationsTools() },
  { name: "docker", project: "kafka", servers: () => dockerServers(), filesAtOnce: 1 },
];

const usage = `Usage: npm run test:stack -- [--only <lane>]... [--may-lack <lane>]... [--retry <times>]

Runs the tests that need servers, lane by lane: ${lanes.map(({ name }) => name).join(", ")}.
--only      runs these lanes alone
--may-lack  lanes that may be left out; with it, any other lane that is left out is a failure
--retry     how often a test that fails is tried again (default: not at all)
`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    "may-lack": { type: "string", multiple: true },
    retry: { type: "string", default: "0" },
    help: { type: "boolean" },
  },
});

// Servers of tests live for minutes: what Java compiles for the long run, and collects with many
// threads, costs them more processor time than it saves (a broker's start: 7 s instead of 11).
process.env["JAVA_TOOL_OPTIONS"] ??= "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

if (values.help) process.stdout.write(usage);
else process.exitCode = await runLanes(lanes.filter(isAsked));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function isAsked({ name }: Lane): boolean {
  return values.only === undefined || values.only.includes(name);
}

/** Gives the exit code. */
async function runLanes(asked: readonly Lane[]): Promise<number> {
  const leftOut: { name: string; reason: string }[] = [];
  const failed: { name: string; code: number }[] = [];
  for (const lane of asked) {
    say(`\n== lane ${lane.name}`);
    const servers = await lane.servers();
    if ("reason" in servers) {
      say(`left out: ${servers.reason}`);
      leftOut.push({ name: lane.name, reason: servers.reason });
      continue;
    }
    say(`servers from ${servers.from}`);
    try {
      const code = await runTests(lane, servers.environment);
      if (code !== 0) failed.push({ name: lane.name, code });
    } finally {
      await servers.stop();
    }
  }
  for (const { name, reason } of leftOut) say(`lane ${name} was left out: ${reason}`);
  for (const { name, code } of failed) say(`lane ${name} ended with exit code ${code}`);
  return failed.length > 0 || leftOut.some(({ name }) => !mayLack(name)) ? 1 : 0;
}

function mayLack(name: string): boolean {
  return values["may-lack"] === undefined || values["may-lack"].includes(name);
}

async function runTests(
  { project, filesAtOnce }: Lane,
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const config = ["--config", "vitest.stack.config.ts", "--project", project];
  const atOnce = filesAtOnce === undefined ? [] : ["--maxWorkers", String(filesAtOnce)];
  const args = ["vitest", "run", ...config, ...atOnce, "--retry", values.retry];
  const child = spawn("npx", args, {
    cwd: projectRoot,
    env: { ...process.env, ...environment },
    stdio: "inherit",
  });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}
