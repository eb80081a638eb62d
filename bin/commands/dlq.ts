import { Command, InvalidArgumentError } from "commander";

import { dispositionOf, type LetterState } from "../../api/dead-letters/criteria.ts";
import { lettersPerSecondMax } from "../../api/dead-letters/orders.ts";
import { groupShape, letterShape, orderShape } from "../../api/dead-letters/shape.ts";
import type { LetterAction } from "../../engine/ports/dead-letters.ts";
import { askedBy } from "../asked-by.ts";
import { CommandFailure } from "../command-failure.ts";
import { letterNamed } from "../dead-letters/ask.ts";
import { editLetter, type EditOptions } from "../dead-letters/edit.ts";
import { groupsTable, lettersTable, letterText, ordersTable } from "../dead-letters/letter-text.ts";
import { type OrderOptions, orderLetters } from "../dead-letters/order.ts";
import {
  criteriaGiven,
  type CriteriaOptions,
  letterId,
  stateOf,
  withCriteria,
} from "../dead-letters/selection.ts";
import { wholeLetter } from "../dead-letters/whole.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { connect } from "../system/connect.ts";

interface ListOptions extends OptionsOnDatabase, CriteriaOptions {
  readonly state: LetterState;
  readonly order?: string;
  readonly after?: number;
  readonly limit: number;
  readonly json?: true;
}

interface JsonOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface DiscardOptions extends OrderOptions {
  readonly withParked?: true;
}

/** `refold dlq`: records that were set aside, and what is to be done with them. */
export function dlqCommand(): Command {
  return new Command("dlq")
    .description("dead letters: records that could not be used, and those that wait behind them")
    .addCommand(groupsCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(editCommand())
    .addCommand(redriveCommand())
    .addCommand(discardCommand())
    .addCommand(ordersCommand())
    .addCommand(stopCommand());
}

function groupsCommand(): Command {
  return withCriteria(commandOnDatabase("groups"))
    .description("letters by fault: consumer, cause, event type and topic, the most first")
    .option("--state <state>", "open, failed, waiting, redriven, discarded, all", stateOf, "failed")
    .option("--limit <number>", "at most so many groups", wholeNumber(1, 10_000), 100)
    .option("--json", "as JSON")
    .action(async (options: ListOptions) => {
      await using stores = await connect("dlq", options);
      const groups = await stores.deadLetters.groups(chosen(options), options.limit);
      const shown = groups.map(groupShape);
      print(options.json ? jsonOf(shown) : groupsTable(shown));
    });
}

function listCommand(): Command {
  return withCriteria(commandOnDatabase("list"))
    .description("letters in order of being set aside")
    .option("--state <state>", "open, failed, waiting, redriven, discarded, all", stateOf, "open")
    .option("--order <id>", "those that this order has asked for last")
    .option("--after <id>", "letters with a higher id", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("--limit <number>", "at most so many", wholeNumber(1, 10_000), 100)
    .option("--json", "as JSON, without the records' bytes")
    .action(async (options: ListOptions) => {
      const { order, after, limit } = options;
      const filter = {
        ...chosen(options),
        ...(order === undefined ? {} : { order: letterId(order, "order") }),
        ...(after === undefined ? {} : { after: BigInt(after) }),
        limit,
      };
      await using stores = await connect("dlq", options);
      const letters = await stores.deadLetters.list(filter);
      print(options.json ? jsonOf(letters.map(letterShape)) : lettersTable(letters));
    });
}

function chosen(options: ListOptions) {
  const disposition = dispositionOf(options.state);
  return { ...criteriaGiven(options), ...(disposition === undefined ? {} : { disposition }) };
}

function showCommand(): Command {
  return commandOnDatabase("show")
    .description("one letter whole: coordinates, cause, stack, headers, value, what was done to it")
    .argument("<id>")
    .option("--json", "as JSON, with the record's bytes in base64")
    .action(async (text: string, options: JsonOptions) => {
      const id = letterId(text);
      await using stores = await connect("dlq", options);
      const whole = await wholeLetter(stores, await letterNamed(stores.deadLetters, id));
      print(options.json ? jsonOf(whole) : letterText(whole));
    });
}

function editCommand(): Command {
  return commandOnDatabase("edit")
    .description("gives a failed letter another value, checked against its schema, to be redriven")
    .argument("<id>")
    .requiredOption("--value <file>", "the value as JSON, as show tells it; - reads standard input")
    .requiredOption("--reason <text>", "why, kept with the letter")
    .option("--schema <which>", "writer (the record's own), reader (the newest), or a schema's id")
    .option("--json", "the letter as JSON")
    .action(async (text: string, options: EditOptions) => {
      const id = letterId(text);
      await using stores = await connect("dlq", options);
      await editLetter(stores, id, options);
      const whole = await wholeLetter(stores, await letterNamed(stores.deadLetters, id));
      print(options.json ? jsonOf(whole) : letterText(whole));
    });
}

function redriveCommand(): Command {
  return ordering("redrive", "tries letters again, each key's in order, with what waits behind")
    .option("--reason <text>", "why, kept with the letters")
    .action((id: string | undefined, options: OrderOptions) => order("redrive", id, options));
}

function discardCommand(): Command {
  return ordering("discard", "leaves letters out for good; their keys go on without them")
    .requiredOption("--reason <text>", "why, kept with the letters")
    .option("--with-parked", "leave out what waits behind them too")
    .action((id: string | undefined, options: DiscardOptions) =>
      order(options.withParked ? "discard-with-parked" : "discard", id, options),
    );
}

function ordering(name: string, description: string): Command {
  return withCriteria(commandOnDatabase(name))
    .description(description)
    .argument("[id]", "one letter")
    .option("--all", "all failed letters")
    .option("--rate <number>", "letters a second, those that wait behind them included", rateOf)
    .option("--dry-run", "only say what it would mean")
    .option("--timeout <seconds>", "how long to wait for it to be done", wholeNumber(0, 86_400), 30)
    .option("--json", "what became of it as JSON");
}

async function order(
  action: LetterAction,
  id: string | undefined,
  options: OrderOptions,
): Promise<void> {
  const outcome = await orderLetters(action, id, options);
  print(options.json ? jsonOf(outcome.summary) : outcome.text);
  process.exitCode = outcome.exitCode;
}

function ordersCommand(): Command {
  return commandOnDatabase("orders")
    .description("what was ordered for letters, by whom and why, and how far it is")
    .argument("[id]", "one order")
    .option("--limit <number>", "at most so many", wholeNumber(1, 10_000), 20)
    .option("--json", "as JSON")
    .action(async (text: string | undefined, options: JsonOptions & { limit: number }) => {
      const id = text === undefined ? undefined : letterId(text, "order");
      await using stores = await connect("dlq", options);
      const { deadLetters } = stores;
      const found = id === undefined ? undefined : await deadLetters.findOrder(id);
      if (id !== undefined && found === undefined) throw noOrder(id);
      const orders = found ? [found] : await deadLetters.orders(options.limit);
      const shown = orders.map(orderShape);
      print(options.json ? jsonOf(shown) : ordersTable(shown));
    });
}

function stopCommand(): Command {
  return commandOnDatabase("stop")
    .description("stops an order that has a rate; what was asked for before goes on")
    .argument("<order>")
    .action(async (text: string, options: OptionsOnDatabase) => {
      const id = letterId(text, "order");
      await using stores = await connect("dlq", options);
      const { deadLetters } = stores;
      if (await deadLetters.stopOrder(id, askedBy("refold dlq")))
        return print(`Order ${id} is stopped.`);
      const found = await deadLetters.findOrder(id);
      if (found === undefined) throw noOrder(id);
      const why = `Order ${id} is ${found.state}: all of its letters are asked for.`;
      throw new CommandFailure("refused", why);
    });
}

const noOrder = (id: bigint): CommandFailure =>
  new CommandFailure("nothingThere", `There is no order ${id} (see refold dlq orders).`);

function rateOf(text: string): number {
  const rate = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && rate > 0 && rate <= lettersPerSecondMax) return rate;
  const what = `It must be a number above 0, at most ${lettersPerSecondMax}.`;
  throw new InvalidArgumentError(what);
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
