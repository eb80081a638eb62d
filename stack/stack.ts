import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { Command } from "commander";

import { ServiceError, startStack } from "./services/index.ts";

interface Options {
  readonly cache: string;
  readonly data?: string;
  readonly addresses: string;
  readonly postgres?: string;
  readonly timeZone: string;
}

const program = new Command("stack")
  .description(
    "Runs Kafka, Connect with Debezium, a registry, Redis and Postgres until it is ended.",
  )
  .option("--cache <folder>", "downloads", join(homedir(), ".cache", "refold", "stack"))
  .option("--data <folder>", "an empty folder for data and logs (default: a temporary one)")
  .option("--addresses <path>", "where to write the servers' addresses", ".env.stack")
  .option("--postgres <folder>", "programs of an installed Postgres, in place of the one from npm")
  .option("--time-zone <name>", "time zone of the Postgres server", "UTC")
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ServiceError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function run(options: Options): Promise<void> {
  const ended = untilAskedToEnd();
  const data = options.data ?? (await mkdtemp(join(tmpdir(), "refold-stack-")));
  console.log(`Starting; the first time fetches about 255 MB into ${options.cache}.`);
  const stack = await startStack({
    cache: options.cache,
    data,
    timeZone: options.timeZone,
    ...(options.postgres === undefined ? {} : { postgresBinaries: options.postgres }),
  });
  const lines = Object.entries(stack.environment).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(options.addresses, lines.join(""));
  for (const { name, url, pid } of stack.services) console.log(`${name} (pid ${pid}): ${url}`);
  console.log(`Ready. The addresses are in ${options.addresses}; Ctrl+C ends the servers.`);
  await ended;
  await stack.stop();
  await rm(options.addresses, { force: true });
  if (options.data === undefined) await rm(data, { recursive: true, force: true });
}

function untilAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
