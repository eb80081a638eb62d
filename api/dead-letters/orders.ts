import { type Static, Type } from "typebox";

import type {
  LetterAction,
  LetterCriteria,
  LetterOrderRequest,
  StoredDeadLetter,
} from "../../engine/ports/dead-letters.ts";
import { ProblemError } from "../problem.ts";
import { By, Said } from "../shapes.ts";
import type { LetterAdministration } from "./administration.ts";
import { criteriaMembers, criteriaOf } from "./criteria.ts";
import { type Order, orderShape, type Survey, surveyShape, trialShape } from "./shape.ts";

export const LetterId = Type.String({ pattern: "^[0-9]{1,18}$" });

/** The fastest pace that can be given: above it a pace means nothing. */
export const lettersPerSecondMax = 100_000;

/** Keys that a dry run names. */
const surveyKeysMax = 20;

/** Letters that a dry run tries, those that wait behind them not counted. */
export const trialLettersMax = 1_000;

/** Letters that an order is for: one, those that fit everything given, or all. */
export const Chosen = Type.Object(
  { ...criteriaMembers, id: Type.Optional(LetterId), all: Type.Optional(Type.Literal(true)) },
  { additionalProperties: false, minProperties: 1 },
);

export const orderMembers = {
  letters: Chosen,
  reason: Said,
  by: By,
  lettersPerSecond: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: lettersPerSecondMax,
      description: "Letters taken up in a second, those that wait behind them included.",
    }),
  ),
  dryRun: Type.Optional(Type.Boolean({ description: "Only tell what it would mean." })),
};

const Body = Type.Object(orderMembers);

/** Orders letters, or says what the order would mean. @throws ProblemError. */
export async function orderLetters(
  admin: LetterAdministration,
  action: LetterAction,
  body: Static<typeof Body> & { readonly by: string },
): Promise<{ readonly order: Static<typeof Order> } | { readonly survey: Static<typeof Survey> }> {
  const { reason, by, lettersPerSecond } = body;
  const letters = meant(body.letters);
  if (letters.id !== undefined) await assertFailed(admin, letters.id);
  if (body.dryRun === true) {
    return { survey: await surveyOf(admin, action, { letters, lettersPerSecond }) };
  }
  const request: LetterOrderRequest = { letters, action, by, reason, lettersPerSecond };
  return { order: orderShape(await admin.deadLetters.order(request)) };
}

/** What an order would mean; a redrive is tried, too. */
export async function surveyOf(
  { deadLetters, tryRedrive }: Pick<LetterAdministration, "deadLetters" | "tryRedrive">,
  action: LetterAction,
  { letters, lettersPerSecond }: Pick<LetterOrderRequest, "letters" | "lettersPerSecond">,
): Promise<Static<typeof Survey>> {
  const survey = surveyShape(await deadLetters.survey(letters, surveyKeysMax), lettersPerSecond);
  return action === "redrive"
    ? { ...survey, trial: trialShape(await tryRedrive(letters)) }
    : survey;
}

function meant({ id, ...chosen }: Static<typeof Chosen>): LetterCriteria {
  return { ...criteriaOf(chosen), ...(id === undefined ? {} : { id: BigInt(id) }) };
}

async function assertFailed(admin: LetterAdministration, id: bigint): Promise<void> {
  const letter = await letterFound(admin, String(id));
  if (letter.disposition !== "failed") throw await notFailed(admin, letter);
}

/** @throws ProblemError `letter-unknown`. */
export async function letterFound(
  { deadLetters }: LetterAdministration,
  id: string,
): Promise<StoredDeadLetter> {
  const letter = await deadLetters.find(BigInt(id));
  if (letter !== undefined) return letter;
  const detail = `There is no dead letter ${id}.`;
  throw new ProblemError({ status: 404, code: "letter-unknown", detail });
}

/** Only failed letters can be asked for, and edited. */
export async function notFailed(
  { deadLetters }: LetterAdministration,
  letter: StoredDeadLetter,
): Promise<ProblemError> {
  const { id, disposition } = letter;
  if (disposition !== "waiting") {
    const detail = `Letter ${id} is ${disposition}.`;
    return new ProblemError({ status: 409, code: "letter-settled", detail });
  }
  const { letters } = await deadLetters.open([letter], { letters: 1, bytes: 0 });
  const front = letters[0]?.id;
  return new ProblemError({
    status: 409,
    code: "letter-waiting",
    detail: `Letter ${id} only waits behind ${front === undefined ? "another" : `letter ${front}`}.`,
    ...(front === undefined ? {} : { more: { behind: String(front) } }),
  });
}
