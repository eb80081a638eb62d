import { surveyOf } from "../../api/dead-letters/orders.ts";
import type { LetterAction, LetterCriteria } from "../../engine/ports/dead-letters.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionsOnDatabase } from "../program.ts";
import { connect } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import type { Stores } from "../system/stores.ts";
import { letterAdministration } from "./administration.ts";
import { type AskOutcome, assertCanBeAsked, orderAndWait } from "./ask.ts";
import { askedBy } from "../asked-by.ts";
import { surveyText } from "./letter-text.ts";
import { selectionOf, type SelectionOptions } from "./selection.ts";

export interface OrderOptions extends OptionsOnDatabase, SelectionOptions {
  readonly reason?: string;
  readonly rate?: number;
  readonly dryRun?: true;
  readonly timeout: number;
  readonly json?: true;
}

/** Orders what the options mean, or says what it would mean. @throws CommandFailure. */
export async function orderLetters(
  action: LetterAction,
  id: string | undefined,
  options: OrderOptions,
): Promise<AskOutcome> {
  const letters = selectionOf(id, options);
  await using stores = await connect("dlq", options);
  // The stores must live until the answer is there.
  if (options.dryRun) return await dryRun(stores, action, { letters, ...options });
  const { reason, rate: lettersPerSecond } = options;
  return await orderAndWait(stores, {
    order: { letters, action, by: askedBy("refold dlq"), reason, lettersPerSecond },
    timeoutMs: options.timeout * 1_000,
    tell: (text) => void process.stderr.write(`${text}\n`),
  });
}

async function dryRun(
  stores: Stores,
  action: LetterAction,
  { letters, rate }: Pick<OrderOptions, "rate"> & { readonly letters: LetterCriteria },
): Promise<AskOutcome> {
  if (letters.id !== undefined) await assertCanBeAsked(stores.deadLetters, letters.id);
  const admin = letterAdministration(stores, application);
  const summary = await surveyOf(admin, action, { letters, lettersPerSecond: rate });
  return { exitCode: exitCodes.ok, text: surveyText(summary), summary };
}
