import { Command } from "commander";

import { CommandFailure } from "../../bin/command-failure.ts";
import { settingsOf as settingsOfEnvironment } from "../../bin/environment.ts";
import { exitCodes } from "../../bin/exit-codes.ts";
import { wholeNumber } from "../../bin/program.ts";
import { StopSignals } from "../../bin/stop-signals.ts";
import { workloads, workloadsNamed } from "./catalogue.ts";
import { compareRuns } from "./compare.ts";
import { pageOf } from "./page.ts";
import { runBench } from "./run.ts";
import { assertWritable, savedRun, saveRun, writeText } from "./saved-runs.ts";
import { settingsOf } from "./settings.ts";
import { catalogueText, changesText } from "./texts.ts";

interface BenchOptions {
  readonly set?: readonly string[];
  readonly repeats?: number;
  readonly json?: true;
  readonly html?: string;
  readonly save?: true;
  readonly envFile?: string;
}

const onlyNamed = workloads
  .filter((workload) => workload.onlyNamed === true)
  .map(({ name }) => name)
  .join(", ");

/** `refold bench`: the workloads, measured on this machine and checked. */
export function benchCommand(): Command {
  const command = new Command("bench")
    .description("measure this machine: every figure checked, beside its ceiling and its peers")
    .argument(
      "[names...]",
      `workloads (default: all but ${onlyNamed}, which takes long); refold bench list tells them`,
    )
    .option("--set <name=value...>", "settings, of one workload as workload.name=value")
    .option("--repeats <n>", "processes that measure each workload", wholeNumber(1, 100))
    .option("--json", "as JSON")
    .option("--html <file>", "also as a page with charts")
    .option("--save", "also keep it in benchmarks/results, for refold bench compare")
    .option("--env-file <file>", "where servers are: .env.stack of npm run stack")
    .action(bench);
  command
    .command("list")
    .description("the workloads, with the question of each and its settings")
    .option("--json", "as JSON")
    .action(list);
  command
    .command("compare <before> <after>")
    .description("what changed between two runs beyond the noise")
    .option("--json", "as JSON")
    .action(compare);
  return command;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));

async function bench(names: readonly string[], options: BenchOptions): Promise<void> {
  const { set = [], repeats, json, html, save, envFile } = options;
  const chosen = settingsOf(workloadsNamed(names), set);
  const environment = settingsOfEnvironment(envFile);
  if (html !== undefined) await assertWritable(html);
  using signals = new StopSignals(() => process.exit(exitCodes.interrupted));
  const say = json ? (text: string) => void process.stderr.write(`${text}\n`) : print;
  const { stop: signal } = signals;
  const run = await runBench({ workloads: chosen, repeats, environment, signal, say });
  if (json) printJson(run);
  if (html !== undefined) {
    await writeText(html, pageOf(run));
    say(`\nThe page with charts is ${html}.`);
  }
  if (save) say(`\nKept as ${await saveRun(run)}.`);
  if (signal.aborted) throw new CommandFailure("interrupted", "Stopped before it was done.");
  const failed = run.workloads.filter(({ failure }) => failure !== undefined);
  if (failed.length > 0) {
    const which = failed.map(({ name }) => name).join(", ");
    throw new CommandFailure("failed", `No figures of ${which}: what is printed above says why.`);
  }
}

interface AsJson {
  readonly json?: true;
}

function list(options: AsJson, command: Command): void {
  if (isJson(options, command)) printJson(workloads);
  else print(catalogueText(workloads));
}

function compare(before: string, after: string, options: AsJson, command: Command): void {
  const changes = compareRuns(savedRun(before), savedRun(after));
  if (isJson(options, command)) printJson(changes);
  else print(changesText(changes));
}

/** An option that the command itself has too is taken by it when it stands before the subcommand. */
const isJson = (options: AsJson, command: Command): boolean =>
  options.json === true || command.optsWithGlobals<AsJson>().json === true;
