import { readFile } from "node:fs/promises";
import { text as textFrom } from "node:stream/consumers";

import { EditFault } from "../../api/dead-letters/edit-fault.ts";
import { CommandFailure } from "../command-failure.ts";
import type { OptionsOnDatabase } from "../program.ts";
import { application } from "../system/definitions.ts";
import { letterAdministration, type LetterStores } from "./administration.ts";
import { letterNamed, whyNot } from "./ask.ts";
import { askedBy } from "../asked-by.ts";

export interface EditOptions extends OptionsOnDatabase {
  readonly value: string;
  readonly reason: string;
  readonly schema?: string;
  readonly json?: true;
}

/** Gives a failed letter another value. @throws CommandFailure. */
export async function editLetter(
  stores: LetterStores,
  id: bigint,
  options: EditOptions,
): Promise<void> {
  const { deadLetters } = stores;
  const letter = await letterNamed(deadLetters, id);
  if (letter.disposition !== "failed") {
    throw new CommandFailure("refused", await whyNot(deadLetters, letter));
  }
  const admin = letterAdministration(stores, application);
  const json = await jsonFrom(options.value);
  const value = await admin.encode(letter, json, schemaOf(options.schema)).catch(asFailure);
  const edit = { value, by: askedBy("refold dlq"), reason: options.reason };
  const verdict = await deadLetters.edit(id, edit);
  if (verdict === "edited") return;
  if (verdict === "asked") {
    const why = `Letter ${id} is about to be taken up: edit it when that is done.`;
    throw new CommandFailure("refused", why);
  }
  throw new CommandFailure(
    "refused",
    await whyNot(deadLetters, await letterNamed(deadLetters, id)),
  );
}

async function jsonFrom(file: string): Promise<unknown> {
  const text = await (file === "-" ? textFrom(process.stdin) : readFile(file, "utf8")).catch(
    (cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CommandFailure("usage", `The value can't be read: ${why}.`, { cause });
    },
  );
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new CommandFailure("usage", `${file} is not JSON: ${why}.`, { cause });
  }
}

function schemaOf(text: string | undefined): "writer" | "reader" | number | undefined {
  if (text === undefined || text === "writer" || text === "reader") return text;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandFailure("usage", "--schema must be writer, reader, or a schema's id.");
}

function asFailure(error: unknown): never {
  if (!(error instanceof EditFault)) throw error;
  throw new CommandFailure("refused", error.message, { cause: error });
}
