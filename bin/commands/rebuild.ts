import { type Command, InvalidArgumentError } from "commander";

import { durationMs, fromForms } from "../../api/rebuilds/from.ts";
import { rebuildBounds, rebuildDefaults } from "../../api/rebuilds/request.ts";
import { rebuildShape } from "../../api/rebuilds/shape.ts";
import { rebuildNamed } from "../rebuild/asking.ts";
import { type FollowOptions, steer, type SteerOptions } from "../rebuild/follow.ts";
import { type RebuildOptions, startRebuild } from "../rebuild/start.ts";
import { rebuildsTable, rebuildText } from "../rebuild/record-text.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { connect } from "../system/connect.ts";

/** `refold rebuild`: a read model made anew beside what serves, proved, swapped in, undone. */
export function rebuildCommand(): Command {
  return (
    commandOnDatabase("rebuild")
      .description(
        "make a projection's read model anew from the log while it serves, and swap it in",
      )
      // Its options are its own where they stand behind a command below.
      .enablePositionalOptions()
      .argument("<projection>", "which one; or one of the commands below")
      .option("--from <when>", fromForms, "earliest")
      .option("--dry-run", "show the plan, and do nothing")
      .option("--accept", "swap it in although rows differ")
      .option("--yes", "ask nothing: swap it in when it is proved, or accepted")
      .option("--reason <text>", "why, kept with the rebuild")
      .option(
        "--lag-budget <time>",
        "wait while what serves is further behind than this (500ms, 2s)",
        timeWithin("lagBudgetMs"),
        rebuildDefaults.lagBudgetMs,
      )
      .option(
        "--keep <time>",
        "how long it can be undone (0s, 30m, 1h, 7d)",
        timeWithin("keepMs"),
        rebuildDefaults.keepMs,
      )
      .option("--json", "the plan or the rebuild as JSON at the end, nothing else")
      .action((name: string, options: RebuildOptions) => startRebuild(name, options))
      .addCommand(listCommand())
      .addCommand(showCommand())
      .addCommand(pauseCommand())
      .addCommand(resumeCommand())
      .addCommand(abandonCommand())
      .addCommand(undoCommand())
  );
}

interface ListOptions extends OptionsOnDatabase {
  readonly projection?: string;
  readonly limit: number;
  readonly json?: true;
}

function listCommand(): Command {
  return commandOnDatabase("list")
    .description("rebuilds, the newest first")
    .option("--projection <name>", "only of this one")
    .option("--limit <number>", "at most so many", wholeNumber(1, 10_000), 20)
    .option("--json", "as JSON")
    .action(async (options: ListOptions) => {
      await using stores = await connect("rebuild", options);
      const { projection, limit } = options;
      const named = projection === undefined ? {} : { projection };
      const records = await stores.rebuilds.list({ ...named, limit });
      print(options.json ? json(records.map(rebuildShape)) : rebuildsTable(records));
    });
}

function showCommand(): Command {
  return commandOnDatabase("show")
    .description("one rebuild whole: plan, progress, proof")
    .argument("<id>")
    .option("--json", "as JSON")
    .action(async (id: string, options: OptionsOnDatabase & { readonly json?: true }) => {
      await using stores = await connect("rebuild", options);
      const record = await rebuildNamed(stores.rebuilds, id);
      print(options.json ? json(rebuildShape(record)) : rebuildText(record));
    });
}

function pauseCommand(): Command {
  return steering("pause", "let a rebuild stand where it is").action(
    (id: string, options: SteerOptions) => steer(id, { wish: "pause", ends: "at-once" }, options),
  );
}

function resumeCommand(): Command {
  return steering("resume", "let a rebuild go on, here where no worker does")
    .option("--accept", "swap it in although rows differ")
    .option("--yes", "ask nothing")
    .action((id: string, options: FollowOptions) =>
      steer(id, { wish: "run", ends: ["swapped"] }, options),
    );
}

function abandonCommand(): Command {
  return steering("abandon", "give a rebuild up; what it has filled is removed").action(
    (id: string, options: SteerOptions) =>
      steer(id, { wish: "abandon", ends: ["abandoned"] }, options),
  );
}

function undoCommand(): Command {
  return steering("undo", "let the generation from before a swap serve again").action(
    (id: string, options: SteerOptions) => steer(id, { wish: "undo", ends: ["undone"] }, options),
  );
}

const steering = (name: string, description: string): Command =>
  commandOnDatabase(name)
    .description(description)
    .argument("<id>")
    .option("--reason <text>", "why, kept with the rebuild")
    .option("--json", "the rebuild as JSON at the end, nothing else");

/** Parses `2s`, `500ms` or a number of milliseconds within the bounds, for commander. */
function timeWithin(name: keyof typeof rebuildBounds): (text: string) => number {
  const { least, most } = rebuildBounds[name];
  return (text) => {
    const [, count] = /^(\d{1,12})(?:ms)?$/.exec(text) ?? [];
    const ms = count === undefined ? durationMs(text) : Number(count);
    if (ms !== undefined && ms >= least && ms <= most) return ms;
    throw new InvalidArgumentError(
      `It must be a time such as 500ms, 2s, 30m or 1h, from ${least} ms to ${most} ms.`,
    );
  };
}

const json = (value: unknown): string => JSON.stringify(value, undefined, 2);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
