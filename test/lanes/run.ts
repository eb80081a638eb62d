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
import { type Voice, Voices } from "./voices.ts";

interface Lane {
  readonly name: string;
  /** Of vitest.stack.config.ts. */
  readonly projects: readonly string[];
  readonly servers: () => Promise<Servers | Missing>;
}

const kafka = ["kafka", "kafka-crowds"];

/**
 * Lanes of a row run one after the other, the rows side by side: as a rule those of the first are
 * over when the crowds of Kafka's begin, which need the machine for themselves.
 */
const rows: readonly (readonly Lane[])[] = [
  [
    { name: "redis", projects: ["redis"], servers: () => redisServers() },
    { name: "browser", projects: ["browser"], servers: () => browserPrograms() },
    { name: "operations", projects: ["operations"], servers: () => operationsTools() },
  ],
  [
    { name: "kafka", projects: kafka, servers: () => stackServers() },
    { name: "docker", projects: kafka, servers: () => dockerServers() },
  ],
];

const usage = `Usage: npm run test:stack -- [--only <lane>]... [--may-lack <lane>]... [--retry <times>]

Runs the tests that need servers, lane by lane: ${rows
  .flat()
  .map(({ name }) => name)
  .join(", ")}.
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
else process.exitCode = await runLanes();

type Outcome =
  | { readonly was: "run"; readonly name: string; readonly code: number }
  | { readonly was: "left-out"; readonly name: string; readonly reason: string };

/** Gives the exit code. */
async function runLanes(): Promise<number> {
  const voices = new Voices((text) => process.stdout.write(text));
  const ofRows = await Promise.all(rows.map((row) => runRow(row.filter(isAsked), voices)));
  const outcomes = ofRows.flat();
  for (const outcome of outcomes) {
    const told = conclusion(outcome);
    if (told !== undefined) process.stdout.write(`lane ${outcome.name} ${told}\n`);
  }
  return outcomes.some(isFailure) ? 1 : 0;
}

function isAsked({ name }: Lane): boolean {
  return values.only === undefined || values.only.includes(name);
}

function conclusion(outcome: Outcome): string | undefined {
  if (outcome.was === "left-out") return `was left out: ${outcome.reason}`;
  return outcome.code === 0 ? undefined : `ended with exit code ${outcome.code}`;
}

function isFailure(outcome: Outcome): boolean {
  return outcome.was === "run" ? outcome.code !== 0 : !mayLack(outcome.name);
}

function mayLack(name: string): boolean {
  return values["may-lack"] === undefined || values["may-lack"].includes(name);
}

async function runRow(row: readonly Lane[], voices: Voices): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const lane of row) {
    const voice = voices.begin();
    voice.say(`\n== lane ${lane.name}\n`);
    outcomes.push(await runLane(lane, voice).catch((error: unknown) => broken(lane, voice, error)));
    voice.end();
  }
  return outcomes;
}

async function runLane(lane: Lane, voice: Voice): Promise<Outcome> {
  const { name } = lane;
  const servers = await lane.servers();
  if ("reason" in servers) {
    voice.say(`left out: ${servers.reason}\n`);
    return { was: "left-out", name, reason: servers.reason };
  }
  voice.say(`servers from ${servers.from}\n`);
  try {
    return { was: "run", name, code: await runTests(lane, servers.environment, voice) };
  } finally {
    await servers.stop();
  }
}

/** Its servers didn't start or stop: the other lanes go on. */
function broken({ name }: Lane, voice: Voice, error: unknown): Outcome {
  voice.say(`\nfailed: lane ${name}\n${error instanceof Error ? error.stack : String(error)}\n`);
  return { was: "run", name, code: 1 };
}

async function runTests(
  { projects }: Lane,
  environment: Readonly<Record<string, string>>,
  voice: Voice,
): Promise<number> {
  const asked = projects.flatMap((project) => ["--project", project]);
  const args = ["--config", "vitest.stack.config.ts", ...asked, "--retry", values.retry];
  const child = spawn("npx", ["vitest", "run", ...args], {
    cwd: projectRoot,
    // What is written in turn goes through a pipe, where colours are left out by default.
    env: { ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}), ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8").on("data", (text: string) => voice.say(text));
  }
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}
