import { setTimeout as delay } from "node:timers/promises";

import type { Pool } from "pg";

import type {
  DeadLetters,
  LetterAsk,
  LetterSelection,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import type { StatusBoard } from "../../engine/ports/status-board.ts";
import { CommandFailure } from "../command-failure.ts";
import { exitCodes } from "../exit-codes.ts";
import { workersRun } from "../status/workers.ts";

export interface SelectionOptions {
  readonly consumer?: string;
  readonly all?: true;
}

/** @throws CommandFailure unless exactly one of id, consumer and all is given. */
export function selectionOf(id: string | undefined, options: SelectionOptions): LetterSelection {
  const { consumer, all } = options;
  const given = [id, consumer, all].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new CommandFailure("usage", "Name one letter by its id, or give --consumer or --all.");
  }
  if (id !== undefined) {
    if (/^\d{1,18}$/.test(id)) return { kind: "one", id: BigInt(id) };
    throw new CommandFailure("usage", `${id} is no letter's id: it is a whole number.`);
  }
  return consumer === undefined ? { kind: "all" } : { kind: "consumer", consumer };
}

export interface AskSources {
  readonly pool: Pool;
  readonly deadLetters: DeadLetters;
  readonly board: Pick<StatusBoard, "read">;
}

export interface AskRequest {
  readonly letters: LetterSelection;
  readonly ask: LetterAsk;
  readonly timeoutMs: number;
}

export interface AskOutcome {
  readonly exitCode: number;
  readonly text: string;
  readonly summary: Readonly<Record<string, unknown>>;
}

/** One call's letters; more are asked for by calling again. */
const lettersMax = 10_000;
const pollMs = 100;

/**
 * Writes down what is to be done and waits until the owners of the letters' partitions have
 * answered. Where none works now, it is done when one starts.
 */
export async function askAndWait(sources: AskSources, request: AskRequest): Promise<AskOutcome> {
  const { deadLetters } = sources;
  const { letters, ask } = request;
  if (letters.kind === "one") await assertCanBeAsked(deadLetters, letters.id);
  const ids = await deadLetters.ask(letters, ask, lettersMax);
  if (ids.length === 0) {
    return { exitCode: exitCodes.ok, text: "No failed letters.", summary: { asked: 0 } };
  }
  const left = await answered(deadLetters, ids, await patience(sources, request));
  return left > 0 ? unansweredOutcome(sources, { ids, left }) : outcomeOf(deadLetters, ids, ask);
}

async function assertCanBeAsked(deadLetters: DeadLetters, id: bigint): Promise<void> {
  const letter = await deadLetters.find(id);
  if (letter === undefined) {
    throw new CommandFailure(
      "nothingThere",
      `There is no dead letter ${id} (see refold dlq list).`,
    );
  }
  if (letter.disposition === "failed") return;
  const why =
    letter.disposition === "waiting" ? await inFront(deadLetters, letter) : settled(letter);
  throw new CommandFailure("refused", why);
}

async function inFront(deadLetters: DeadLetters, letter: StoredDeadLetter): Promise<string> {
  const [first] = await deadLetters.open(letter, 1);
  const front = first === undefined ? "another" : `letter ${first.id}`;
  return `Letter ${letter.id} only waits behind ${front} of its key: ask for that one.`;
}

function settled({ id, disposition, settledAt, reason }: StoredDeadLetter): string {
  const why = reason === undefined ? "" : ` (${reason})`;
  return `Letter ${id} was ${disposition} at ${settledAt?.toISOString() ?? "some time"}${why}.`;
}

/** Nobody is waited for who isn't there; only for a moment, in case the board is late. */
async function patience(sources: AskSources, { timeoutMs }: AskRequest): Promise<number> {
  return (await workersRun(sources)) ? timeoutMs : Math.min(timeoutMs, 1_000);
}

/** @returns How many are unanswered when the time is over. */
async function answered(
  deadLetters: DeadLetters,
  ids: readonly bigint[],
  timeoutMs: number,
): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = await deadLetters.unanswered(ids);
    if (left === 0 || performance.now() >= deadline) return left;
    await delay(pollMs);
  }
}

async function unansweredOutcome(
  sources: AskSources,
  { ids, left }: { readonly ids: readonly bigint[]; readonly left: number },
): Promise<AskOutcome> {
  const running = await workersRun(sources);
  const summary = { asked: ids.length, unanswered: left, running };
  const of = `${ids.length - left} of ${ids.length} letters are done`;
  if (running) {
    const text = `${of}; the others are still to come. See refold status and refold dlq list.`;
    return { exitCode: exitCodes.failed, text, summary };
  }
  const text = `${of}. Nothing runs now: what was asked for is done at the next start.`;
  return { exitCode: exitCodes.ok, text, summary };
}

async function outcomeOf(
  deadLetters: DeadLetters,
  ids: readonly bigint[],
  ask: LetterAsk,
): Promise<AskOutcome> {
  const done = ask.action === "redrive" ? "redriven" : "discarded";
  const failed: StoredDeadLetter[] = [];
  for (const id of ids) {
    const letter = await deadLetters.find(id);
    if (letter && letter.disposition !== done) failed.push(letter);
  }
  const summary = {
    asked: ids.length,
    [done]: ids.length - failed.length,
    failed: failed.map(({ id, cause, message, attempts }) => ({ id, cause, message, attempts })),
  };
  const lines = failed.map(
    ({ id, cause, message, attempts }) =>
      `letter ${id} failed again (tries: ${attempts}): ${cause}: ${message}`,
  );
  const text = [`${ids.length - failed.length} of ${ids.length} letters ${done}.`, ...lines];
  const exitCode = failed.length > 0 ? exitCodes.failed : exitCodes.ok;
  return { exitCode, text: text.join("\n"), summary };
}
