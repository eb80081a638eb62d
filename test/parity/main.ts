import { Command } from "commander";

import { recordFolder } from "./recorder/record-folder.ts";
import type { Servers } from "./recorder/recorder.ts";
import { readAddresses } from "./recorder/addresses.ts";

interface Options {
  readonly json?: true;
  readonly record?: true;
  readonly addresses: string;
}

const program = new Command("parity")
  .description("Compares the embedded capture with recordings of Debezium's Postgres connector.")
  .argument("<folder>", "scenarios, one JSON file for each")
  .argument("[names...]", "only these scenarios")
  .option("--json", "print one JSON object on standard output and nothing else")
  .option("--record", "run them through the real connector of `npm run stack` and write the files")
  .option("--addresses <path>", "what `npm run stack` wrote", ".env.stack")
  .action(run);

await program.parseAsync();

async function run(folder: string, only: string[], options: Options): Promise<void> {
  const servers: Servers = await readAddresses(options.addresses);
  const onLine = (line: string): boolean => process.stdout.write(`${line}\n`);
  const recorded = await recordFolder({ folder, only, servers, onLine });
  if (recorded === "some") process.exitCode = 1;
}
