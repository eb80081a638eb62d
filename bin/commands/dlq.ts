import { Command } from "commander";

import { CommandFailure } from "../command-failure.ts";
import {
  askAndWait,
  type AskOutcome,
  selectionOf,
  type SelectionOptions,
} from "../dead-letters/ask.ts";
import { letterJson, letterText, lettersTable } from "../dead-letters/letter-text.ts";
import { PayloadDecoder } from "../log/payload.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { connect } from "../system/connect.ts";
import type { Stores } from "../system/stores.ts";
import type { Disposition, StoredDeadLetter } from "../../engine/ports/dead-letters.ts";

interface ListOptions extends OptionsOnDatabase {
  readonly consumer?: string;
  readonly state?: Disposition | "open" | "all";
  readonly after?: number;
  readonly limit: number;
  readonly json?: true;
}

interface ShowOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface RedriveOptions extends OptionsOnDatabase, SelectionOptions {
  readonly timeout: number;
  readonly json?: true;
}

interface DiscardOptions extends RedriveOptions {
  readonly reason: string;
  readonly withParked?: true;
}

/** `refold dlq`: records that were set aside, and what is to be done with them. */
export function dlqCommand(): Command {
  return new Command("dlq")
    .description("dead letters: records that could not be used, and those that wait behind them")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(redriveCommand())
    .addCommand(discardCommand());
}

function listCommand(): Command {
  return commandOnDatabase("list")
    .description("letters in order of being set aside")
    .option("--consumer <name>", "only of this projection or processor")
    .option("--state <state>", "open, failed, waiting, redriven, discarded, all", stateOf, "open")
    .option("--after <id>", "letters with a higher id", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("--limit <number>", "at most so many", wholeNumber(1, 10_000), 100)
    .option("--json", "as JSON, without the records' bytes")
    .action(async (options: ListOptions) => {
      await using stores = await connect("dlq", options);
      const letters = await listed(stores, options);
      print(
        options.json ? jsonOf(letters.map((letter) => letterJson(letter))) : lettersTable(letters),
      );
    });
}

function showCommand(): Command {
  return commandOnDatabase("show")
    .description("one letter whole: coordinates, cause, stack, headers, key and value")
    .argument("<id>")
    .option("--json", "as JSON, with the record's bytes in base64")
    .action(async (id: string, options: ShowOptions) => {
      await using stores = await connect("dlq", options);
      const letter = await found(stores, id);
      const payload = await new PayloadDecoder(stores.registry).decode(bufferOf(letter.value));
      print(options.json ? jsonOf(letterJson(letter, payload)) : letterText(letter, payload));
    });
}

function redriveCommand(): Command {
  return selecting(
    "redrive",
    "tries letters again, each key's in order, with what waits behind",
  ).action(async (id: string | undefined, options: RedriveOptions) => {
    await using stores = await connect("dlq", options);
    const ask = { action: "redrive", reason: undefined } as const;
    conclude(await askAndWait(stores, { ...waiting(id, options), ask }), options);
  });
}

function discardCommand(): Command {
  return selecting("discard", "leaves letters out for good; their keys go on without them")
    .requiredOption("--reason <text>", "why, kept with the letter")
    .option("--with-parked", "leave out what waits behind them too")
    .action(async (id: string | undefined, options: DiscardOptions) => {
      await using stores = await connect("dlq", options);
      const action = options.withParked ? "discard-with-parked" : "discard";
      const ask = { action, reason: options.reason } as const;
      conclude(await askAndWait(stores, { ...waiting(id, options), ask }), options);
    });
}

function selecting(name: string, description: string): Command {
  return commandOnDatabase(name)
    .description(description)
    .argument("[id]", "one letter")
    .option("--consumer <name>", "all failed letters of this projection or processor")
    .option("--all", "all failed letters")
    .option("--timeout <seconds>", "how long to wait for it to be done", wholeNumber(0, 86_400), 30)
    .option("--json", "what became of it as JSON");
}

const waiting = (id: string | undefined, options: RedriveOptions) => ({
  letters: selectionOf(id, options),
  timeoutMs: options.timeout * 1_000,
});

function conclude(outcome: AskOutcome, options: { readonly json?: true }): void {
  print(options.json ? jsonOf(outcome.summary) : outcome.text);
  process.exitCode = outcome.exitCode;
}

/** `open` isn't one disposition but two: told apart here, so that the port keeps one filter. */
async function listed(stores: Stores, options: ListOptions): Promise<StoredDeadLetter[]> {
  const { consumer, state = "open", after, limit } = options;
  const common = {
    ...(consumer === undefined ? {} : { consumer }),
    ...(after === undefined ? {} : { after: BigInt(after) }),
    limit,
  };
  if (state === "all") return [...(await stores.deadLetters.list(common))];
  const states = state === "open" ? (["failed", "waiting"] as const) : [state];
  const pages = await Promise.all(
    states.map((disposition) => stores.deadLetters.list({ ...common, disposition })),
  );
  return pages
    .flat()
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

async function found(stores: Stores, id: string): Promise<StoredDeadLetter> {
  const letter = /^\d{1,18}$/.test(id) ? await stores.deadLetters.find(BigInt(id)) : undefined;
  if (letter) return letter;
  throw new CommandFailure("nothingThere", `There is no dead letter ${id} (see refold dlq list).`);
}

const states: readonly string[] = ["open", "failed", "waiting", "redriven", "discarded", "all"];

function stateOf(text: string): string {
  if (states.includes(text)) return text;
  throw new CommandFailure("usage", `--state must be one of ${states.join(", ")}.`);
}

const bufferOf = (bytes: Uint8Array | null): Buffer | null => bytes && Buffer.from(bytes);

const print = (text: string): void => void process.stdout.write(`${text}\n`);
