import type { Command } from "commander";

import { storyShape } from "../../api/traces/story-shape.ts";
import { rowStory, type RowStory } from "../../engine/history/row-story.ts";
import { CommandFailure } from "../command-failure.ts";
import { timeNamed } from "../history/time-named.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { projectionNamed } from "../rebuild/asking.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import { storySources } from "../system/history.ts";
import { storyText } from "../trace/story-text.ts";

interface WhyOptions extends OptionsOnDatabase {
  readonly at?: string;
  readonly stepsMax: number;
  readonly json?: true;
}

/** `refold why <projection> <key>`: the records that made a row what it is. */
export function whyCommand(): Command {
  return commandOnDatabase("why")
    .description("how one row became what it is: what each record changed, folded anew")
    .argument("<projection>")
    .argument("<key>", "the row's key")
    .option("--at <time>", "as it was at an ISO 8601 time, or a time ago: 30m, 24h, 7d")
    .option("--steps-max <number>", "tell only the last so many records", stepsNumber, 200)
    .option("--json", "as JSON")
    .action(showStory);
}

const stepsNumber = wholeNumber(1, 100_000);

async function showStory(name: string, key: string, options: WhyOptions): Promise<void> {
  const { at, stepsMax, json } = options;
  const atMs = at === undefined ? undefined : timeNamed(at);
  const projection = projectionNamed(application.projections, name);
  await using stores = await connect("why", options);
  const story = await rowStory(storySources(stores), projection, { key, atMs, stepsMax });
  if (isEmpty(story)) throw nothingOf(name, key);
  const text = json
    ? jsonOf(storyShape(projection, key, story))
    : storyText(projection, key, story);
  process.stdout.write(`${text}\n`);
}

/** A row that is served without any record is worth telling. */
const isEmpty = ({ steps, stored }: RowStory): boolean =>
  steps.length === 0 && stored?.row === undefined;

const nothingOf = (projection: string, key: string): CommandFailure =>
  new CommandFailure(
    "nothingThere",
    `No record has to do with a row ${key} of ${projection}. Keys are told by refold at, and by ` +
      "refold trace.",
  );
