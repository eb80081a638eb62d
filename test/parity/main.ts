import { Command } from "commander";

import { compareFolder } from "./compare-folder.ts";
import type { Verdict } from "./parity.ts";
import { recordFolder } from "./recorder/record-folder.ts";
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

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function run(folder: string, only: string[], options: Options): Promise<void> {
  if (options.record) await record(folder, only, options);
  else await compare(folder, only, options);
}

async function record(folder: string, only: string[], { addresses }: Options): Promise<void> {
  const servers = await readAddresses(addresses);
  const recorded = await recordFolder({ folder, only, servers, onLine: print });
  if (recorded === "some") process.exitCode = 1;
}

async function compare(folder: string, only: string[], { json }: Options): Promise<void> {
  const onVerdict = (verdict: Verdict): unknown => json || print(verdictLine(verdict));
  const report = await compareFolder({ folder, only, onVerdict });
  print(json ? JSON.stringify(report) : `${report.equal} of ${report.total} are equal.`);
  const unexplained = report.scenarios.filter(({ equal, deviation }) => !equal && !deviation);
  if (unexplained.length > 0) process.exitCode = 1;
}

function verdictLine({ name, equal, difference, deviation }: Verdict): string {
  if (equal) return `${name}: equal`;
  if (deviation) return `${name}: deviation (${deviation}): ${difference}`;
  return `${name}: ${difference}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
