import { setTimeout as delay } from "node:timers/promises";

import type { Pool } from "pg";

import type {
  DeadLetters,
  LetterOrder,
  LetterOrderRequest,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import type { StatusBoard } from "../../engine/ports/status-board.ts";
import { CommandFailure } from "../command-failure.ts";
import { exitCodes } from "../exit-codes.ts";
import { workersRun } from "../status/workers.ts";
import { orderShape } from "../../api/dead-letters/shape.ts";

export interface AskSources {
  readonly pool: Pool;
  readonly deadLetters: DeadLetters;
  readonly board: Pick<StatusBoard, "read">;
}

export interface AskRequest {
  readonly order: LetterOrderRequest;
  readonly timeoutMs: number;
  /** Told while it is waited for, at most once a second. */
  readonly tell: (text: string) => void;
}

export interface AskOutcome {
  readonly exitCode: number;
  readonly text: string;
  readonly summary: Readonly<Record<string, unknown>>;
}

/** Letters that failed again are told one by one up to so many. */
const toldMax = 20;
const pollMs = 100;
const tellEveryMs = 1_000;

/**
 * Writes an order down and waits until the owners of the letters' partitions have answered. Where
 * none works now, it is done when one starts.
 */
export async function orderAndWait(sources: AskSources, request: AskRequest): Promise<AskOutcome> {
  const { deadLetters } = sources;
  const { order } = request;
  if (order.letters.id !== undefined) await assertCanBeAsked(deadLetters, order.letters.id);
  const written = await deadLetters.order(order);
  if (written.matched === 0) {
    return { exitCode: exitCodes.ok, text: "No failed letters.", summary: orderShape(written) };
  }
  const found = await answered(deadLetters, written, {
    ...request,
    timeoutMs: await patience(sources, request),
  });
  return isDone(found) ? outcomeOf(deadLetters, found) : unansweredOutcome(sources, found);
}

/** @throws CommandFailure `nothingThere`. */
export async function letterNamed(
  deadLetters: Pick<DeadLetters, "find">,
  id: bigint,
): Promise<StoredDeadLetter> {
  const letter = await deadLetters.find(id);
  if (letter !== undefined) return letter;
  throw new CommandFailure("nothingThere", `There is no dead letter ${id} (see refold dlq list).`);
}

/** @throws CommandFailure `nothingThere`, `refused`. */
export async function assertCanBeAsked(deadLetters: DeadLetters, id: bigint): Promise<void> {
  const letter = await letterNamed(deadLetters, id);
  if (letter.disposition === "failed") return;
  throw new CommandFailure("refused", await whyNot(deadLetters, letter));
}

/** Why nothing can be done with a letter that isn't failed. */
export async function whyNot(
  deadLetters: Pick<DeadLetters, "open">,
  letter: StoredDeadLetter,
): Promise<string> {
  return letter.disposition === "waiting" ? inFront(deadLetters, letter) : settled(letter);
}

async function inFront(
  deadLetters: Pick<DeadLetters, "open">,
  letter: StoredDeadLetter,
): Promise<string> {
  const { letters } = await deadLetters.open([letter], { letters: 1, bytes: 0 });
  const [first] = letters;
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

const isDone = ({ state, unanswered }: LetterOrder): boolean =>
  state !== "open" && unanswered === 0;

/** @returns The order as it is when it is done, or when the time is over. */
async function answered(
  deadLetters: DeadLetters,
  written: LetterOrder,
  { timeoutMs, tell }: Pick<AskRequest, "timeoutMs" | "tell">,
): Promise<LetterOrder> {
  const deadline = performance.now() + timeoutMs;
  let tellAtMs = performance.now() + tellEveryMs;
  let order = written;
  while (!isDone(order) && performance.now() < deadline) {
    await delay(pollMs);
    order = (await deadLetters.findOrder(written.id)) ?? order;
    if (isDone(order) || performance.now() < tellAtMs) continue;
    tellAtMs += tellEveryMs;
    tell(`${doneOf(order)} of ${order.matched} letters are done (order ${order.id}).`);
  }
  return order;
}

const doneOf = ({ asked, unanswered }: LetterOrder): number => asked - unanswered;

async function unansweredOutcome(sources: AskSources, order: LetterOrder): Promise<AskOutcome> {
  const running = await workersRun(sources);
  const summary = { ...orderShape(order), running };
  const of = `${doneOf(order)} of ${order.matched} letters are done`;
  if (running) {
    const text = `${of}; the others are still to come. See refold dlq orders ${order.id}.`;
    return { exitCode: exitCodes.failed, text, summary };
  }
  const text = `${of}. Nothing runs now: what was asked for is done at the next start.`;
  return { exitCode: exitCodes.ok, text, summary };
}

async function outcomeOf(deadLetters: DeadLetters, order: LetterOrder): Promise<AskOutcome> {
  const done = order.action === "redrive" ? "redriven" : "discarded";
  const open = ["failed", "waiting"] as const;
  const failed = await deadLetters.list({ order: order.id, disposition: open, limit: toldMax });
  const again = failed.map(({ id, cause, message, attempts }) => ({
    id,
    cause,
    message,
    attempts,
  }));
  const lines = again.map(
    ({ id, cause, message, attempts }) =>
      `letter ${id} failed again (tries: ${attempts}): ${cause}: ${message}`,
  );
  const more = order.failed - failed.length;
  if (more > 0) lines.push(`and ${more} more: refold dlq list --order ${order.id}`);
  const text = [`${order[done]} of ${order.matched} letters ${done}.`, ...lines];
  return {
    exitCode: order.failed > 0 ? exitCodes.failed : exitCodes.ok,
    text: text.join("\n"),
    summary: { ...orderShape(order), failedAgain: again },
  };
}
