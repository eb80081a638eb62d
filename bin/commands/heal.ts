import type { Command } from "commander";

import type { Generations, HealOutcome } from "../../engine/ports/generations.ts";
import { CommandFailure } from "../command-failure.ts";
import { servingGeneration } from "../history/serving.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { projectionNamed } from "../rebuild/asking.ts";
import { workersRun } from "../status/workers.ts";
import { systemClock } from "../system-clock.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";

interface HealOptions extends OptionsOnDatabase {
  readonly key: string;
  readonly timeout: number;
  readonly json?: true;
}

const pollMs = 50;

/** `refold heal <projection> --key <key>`: one row made anew from the log, by the task that has it. */
export function healCommand(): Command {
  return commandOnDatabase("heal")
    .description("make one row anew from the log, and mend its digest, while everything goes on")
    .argument("<projection>")
    .requiredOption("--key <key>", "which row")
    .option("--timeout <seconds>", "wait so long for the answer", wholeNumber(1, 3_600), 60)
    .option("--json", "as JSON")
    .action(heal);
}

async function heal(name: string, options: HealOptions): Promise<void> {
  projectionNamed(application.projections, name);
  await using stores = await connect("heal", options);
  const { generations } = stores;
  const { generation } = await servingGeneration(generations, name);
  const { key, timeout } = options;
  const id = await generations.askHeal({ projection: name, generation, key });
  const running = await workersRun(stores);
  const outcome = await answered(generations, id, running ? timeout * 1_000 : 1_000);
  if (outcome === undefined) throw unanswered({ name, key, running });
  print(options.json ? JSON.stringify({ key, ...outcome }) : outcomeText(name, key, outcome));
  if (outcome.kind === "failed") {
    throw new CommandFailure("failed", `${key} of ${name} is as it was: ${outcome.reason}`);
  }
}

async function answered(
  generations: Pick<Generations, "healOutcome">,
  id: bigint,
  timeoutMs: number,
): Promise<HealOutcome | undefined> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  for (;;) {
    const outcome = await generations.healOutcome(id);
    if (outcome !== undefined || systemClock.monotonicMs() >= deadlineMs) return outcome;
    await systemClock.sleep(pollMs);
  }
}

function unanswered(of: {
  readonly name: string;
  readonly key: string;
  readonly running: boolean;
}): CommandFailure {
  const why = of.running
    ? "Nobody has answered yet: the worker that has its partition does when it can."
    : "Nothing runs now: it is done at the next start.";
  return new CommandFailure("failed", `${of.key} of ${of.name} is asked to be healed. ${why}`);
}

function outcomeText(name: string, key: string, outcome: HealOutcome): string {
  switch (outcome.kind) {
    case "sound":
      return `${key} of ${name} is as the log has it.`;
    case "healed":
      return [
        `${key} of ${name} is healed.`,
        `  stored: ${outcome.before ?? "(no row)"}`,
        `  log:    ${outcome.after ?? "(no row)"}`,
      ].join("\n");
    case "failed":
      return `${key} of ${name} can't be healed now.`;
    default:
      return outcome satisfies never;
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
