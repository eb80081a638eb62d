import { InvalidArgumentError, type Command } from "commander";

import {
  type ChosenLetters,
  criteriaOf,
  letterStates,
  type LetterState,
} from "../../api/dead-letters/criteria.ts";
import type { LetterCriteria } from "../../engine/ports/dead-letters.ts";
import { CommandFailure } from "../command-failure.ts";

/** Options by which letters are chosen; everything that is given must apply. */
export const withCriteria = (command: Command): Command =>
  command
    .option("--consumer <name>", "of this projection or processor")
    .option("--cause <code>", "with this cause: decode, schema-unknown, fold, ...")
    .option("--topic <name>", "of this topic")
    .option("--key <key>", "with this key: text, or base64: and its bytes")
    .option("--type <name>", "of this event type, by its full name")
    .option("--correlation <id>", "of this correlation")
    .option("--from <time>", "set aside at or after this time", timeOf)
    .option("--until <time>", "set aside before this time", timeOf);

export type CriteriaOptions = ChosenLetters;

export function criteriaGiven(options: CriteriaOptions): LetterCriteria {
  const { consumer, cause, topic, key, type, correlation, from, until } = options;
  const given = { consumer, cause, topic, key, type, correlation, from, until };
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return criteriaOf(Object.fromEntries(known));
}

export interface SelectionOptions extends CriteriaOptions {
  readonly all?: true;
}

/** @throws CommandFailure unless exactly one of id, criteria and all is given. */
export function selectionOf(id: string | undefined, options: SelectionOptions): LetterCriteria {
  const criteria = criteriaGiven(options);
  const isChosen = Object.keys(criteria).length > 0;
  if ([id !== undefined, isChosen, options.all === true].filter(Boolean).length !== 1) {
    const how =
      "Name one letter by its id, or say which (--consumer, --cause, ...), or give --all.";
    throw new CommandFailure("usage", how);
  }
  return id === undefined ? criteria : { id: letterId(id) };
}

/** @throws CommandFailure `usage`. */
export function letterId(text: string, what = "letter"): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new CommandFailure("usage", `${text} is no ${what}'s id: it is a whole number.`);
}

export function stateOf(text: string): LetterState {
  const found = letterStates.find((state) => state === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It must be one of ${letterStates.join(", ")}.`);
}

function timeOf(text: string): string {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if (isTime && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError("It must be a time with a zone: 2026-11-21T09:00:00Z.");
}
