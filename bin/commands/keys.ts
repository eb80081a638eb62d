import { Command } from "commander";

import {
  openKeys,
  PostgresKeyStore,
  signerAt,
  type StoredKey,
} from "../../connectors/accounts/index.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase } from "../program.ts";
import { systemClock } from "../system-clock.ts";
import { connect } from "../system/connect.ts";
import { table } from "../table.ts";
import { reportToTerminal } from "../terminal.ts";

interface KeysOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface RotateOptions extends KeysOptions {
  readonly withdraw?: true;
}

/** `refold keys`: what signs tokens. */
export function keysCommand(): Command {
  return new Command("keys")
    .description("keys that sign tokens: a new one every 30 days, by itself")
    .addCommand(listCommand())
    .addCommand(rotateCommand());
}

function listCommand(): Command {
  return commandOnDatabase("list")
    .description("the keys with what each does now; private parts are never shown")
    .option("--json", "as JSON")
    .action(async (options: KeysOptions) => {
      await using stores = await connect("keys", options);
      const keys = (await new PostgresKeyStore(stores).keys()).map(shown);
      if (options.json) return print(jsonOf(keys));
      if (keys.length === 0) return print("No keys yet: the first is made at the first sign-in.");
      const headings = ["key", "state", "signs from", "signs until", "verifies until"];
      const row = (key: ShownKey): string[] => [
        key.kid,
        key.state,
        key.signsFrom,
        key.signsUntil,
        key.verifiesUntil,
      ];
      print(table(headings, keys.map(row)));
    });
}

type ShownKey = ReturnType<typeof shown>;

function shown(key: StoredKey, _: number, keys: readonly StoredKey[]) {
  return {
    kid: key.kid,
    state: stateOf(key, keys, systemClock.nowMs()),
    madeAt: iso(key.madeAtMs),
    signsFrom: iso(key.signsFromMs),
    signsUntil: iso(key.signsUntilMs),
    verifiesUntil: iso(key.verifiesUntilMs),
  };
}

function stateOf(key: StoredKey, keys: readonly StoredKey[], nowMs: number) {
  if (signerAt(keys, nowMs) === key) return "signs";
  if (key.signsFromMs > nowMs) return "next";
  return nowMs < key.verifiesUntilMs ? "verifies" : "over";
}

const iso = (ms: number): string => new Date(ms).toISOString();

function rotateCommand(): Command {
  return commandOnDatabase("rotate")
    .description("makes a key that signs from now on; tokens of the others stay good till they end")
    .option("--withdraw", "tokens of the other keys are refused: everybody has to sign in again")
    .option("--json", "as JSON")
    .action(async ({ withdraw, ...options }: RotateOptions) => {
      await using stores = await connect("keys", options);
      const { pool } = stores;
      const keys = openKeys({ pool, clock: systemClock, report: reportToTerminal });
      const { kid } = await keys.rotate(withdraw ? "withdrawn" : "verify");
      const others = withdraw ? "withdrawn" : "verify";
      const told = withdraw
        ? "The other keys are withdrawn: running processes refuse their tokens within ten seconds."
        : "Tokens that other keys have signed stay good until they end.";
      print(options.json ? jsonOf({ kid, others }) : `${kid} signs from now on. ${told}`);
    });
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
