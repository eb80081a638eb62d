import { Command } from "commander";

import type { EffectState, StoredEffect } from "../../engine/ports/effect-ledger.ts";
import { CommandFailure } from "../command-failure.ts";
import { effectJson, effectsTable, effectText } from "../effects/effect-text.ts";
import { retryChoiceOf, retryEffects, unknownEffect } from "../effects/retry.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { connect } from "../system/connect.ts";
import type { Stores } from "../system/stores.ts";

interface ListOptions extends OptionsOnDatabase {
  readonly kind?: string;
  readonly state: EffectState | "open" | "all";
  readonly tag?: string;
  readonly correlation?: string;
  readonly limit: number;
  readonly json?: true;
}

interface ShowOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface RetryOptions extends ShowOptions {
  readonly kind?: string;
  readonly all?: true;
}

/** `refold effects`: calls of the outside world, and what became of them. */
export function effectsCommand(): Command {
  return new Command("effects")
    .description("calls of the outside world (charges, refunds): what became of them, once each")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(retryCommand());
}

function listCommand(): Command {
  return commandOnDatabase("list")
    .description("effects in order of being wanted")
    .option("--kind <kind>", "only of this kind: payment.charge")
    .option("--state <state>", [...states].join(", "), stateOf, "open")
    .option("--tag <tag>", "only about this: registration:<id>, payment:<id>")
    .option("--correlation <id>", "only of this business transaction")
    .option("--limit <number>", "at most so many", wholeNumber(1, 10_000), 100)
    .option("--json", "as JSON")
    .action(async (options: ListOptions) => {
      await using stores = await connect("effects", options);
      const effects = await listed(stores, options);
      print(options.json ? jsonOf(effects.map(effectJson)) : effectsTable(effects));
    });
}

function showCommand(): Command {
  return commandOnDatabase("show")
    .description("one effect whole: its input, tries, answer or error; secrets are never shown")
    .argument("<key>")
    .option("--json", "as JSON")
    .action(async (key: string, options: ShowOptions) => {
      await using stores = await connect("effects", options);
      const effect = await stores.effectLedger.find(key);
      if (effect === undefined) throw unknownEffect(key);
      print(options.json ? jsonOf(effectJson(effect)) : effectText(effect));
    });
}

function retryCommand(): Command {
  return commandOnDatabase("retry")
    .description("has effects tried again that were given up; the other side gets the same key")
    .argument("[key]", "one effect")
    .option("--kind <kind>", "all of this kind that were given up")
    .option("--all", "all that were given up")
    .option("--json", "how many, as JSON")
    .action(async (key: string | undefined, options: RetryOptions) => {
      const choice = retryChoiceOf(key, options);
      await using stores = await connect("effects", options);
      const outcome = await retryEffects(stores.effectLedger, choice);
      const more = outcome.more ? " There may be more: run it again." : "";
      print(options.json ? jsonOf(outcome) : `${outcome.retried} to be tried again.${more}`);
    });
}

/** `open` isn't one state but three: told apart here, so that the port keeps one filter. */
async function listed(stores: Stores, options: ListOptions): Promise<StoredEffect[]> {
  const { kind, state, tag, correlation, limit } = options;
  const common = {
    ...(kind === undefined ? {} : { kind }),
    ...(tag === undefined ? {} : { tag }),
    ...(correlation === undefined ? {} : { correlationId: correlation }),
    limit,
  };
  const { effectLedger } = stores;
  if (state === "all") return [...(await effectLedger.list(common))];
  const wanted = state === "open" ? (["requested", "started", "failed"] as const) : [state];
  const pages = await Promise.all(
    wanted.map((one) => effectLedger.list({ ...common, state: one })),
  );
  return pages
    .flat()
    .sort((one, other) => one.requestedAt.getTime() - other.requestedAt.getTime())
    .slice(0, limit);
}

const states: ReadonlySet<string> = new Set([
  "open",
  "requested",
  "started",
  "failed",
  "done",
  "all",
]);

function stateOf(text: string): string {
  if (states.has(text)) return text;
  throw new CommandFailure("usage", `--state must be one of ${[...states].join(", ")}.`);
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
