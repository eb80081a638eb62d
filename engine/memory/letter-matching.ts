import type {
  LetterCriteria,
  LetterGroup,
  LetterPlace,
  LettersOfKey,
  LetterSurvey,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";
import { letterFacts } from "../task/letter-facts.ts";

/** A letter of the memory store, with the order that was the last to ask for it. */
export interface HeldLetter extends StoredDeadLetter {
  readonly order: bigint | undefined;
}

export const isOpen = ({ disposition }: Pick<StoredDeadLetter, "disposition">): boolean =>
  disposition === "failed" || disposition === "waiting";

export const isAt = (one: LetterPlace, other: LetterPlace): boolean =>
  one.consumer === other.consumer &&
  one.generation === other.generation &&
  one.topic === other.topic &&
  one.partition === other.partition;

/** Bytes as text that no two different byte strings share. */
export const textOf = (key: Uint8Array | null): string | null =>
  key && Buffer.from(key).toString("latin1");

export const isOfKey = (one: LettersOfKey, other: LettersOfKey): boolean =>
  isAt(one, other) && textOf(one.key) === textOf(other.key);

/** Does everything that is given apply? */
export function matches(letter: HeldLetter, criteria: LetterCriteria): boolean {
  const { id, consumer, generation, cause, topic, partition, key, order, edited } = criteria;
  const facts = letterFacts(letter);
  const at = letter.firstAt.getTime();
  return (
    is(letter.id, id) &&
    is(letter.consumer, consumer) &&
    is(letter.generation, generation) &&
    is(letter.cause, cause) &&
    is(letter.topic, topic) &&
    is(letter.partition, partition) &&
    is(textOf(letter.key), key && textOf(key)) &&
    is(facts.type, criteria.type) &&
    is(facts.correlationId, criteria.correlationId) &&
    at >= (criteria.from?.getTime() ?? -Infinity) &&
    at < (criteria.until?.getTime() ?? Infinity) &&
    isOneOf(letter, criteria.disposition) &&
    is(letter.order, order) &&
    is(letter.edit !== undefined, edited)
  );
}

const is = <Value>(found: Value, wanted: Value | undefined): boolean =>
  wanted === undefined || found === wanted;

function isOneOf({ disposition }: HeldLetter, wanted: LetterCriteria["disposition"]): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? disposition === wanted : wanted.includes(disposition);
}

/** See `DeadLetters.groups`. */
export function groupsOf(
  all: readonly HeldLetter[],
  criteria: LetterCriteria,
): readonly LetterGroup[] {
  const groups = new Map<string, HeldLetter[]>();
  for (const letter of all) {
    if (!matches(letter, criteria)) continue;
    const { consumer, cause, topic } = letter;
    const { type, schemaId } = letterFacts(letter);
    const of = JSON.stringify([consumer, cause, type ?? null, schemaId ?? null, topic]);
    groups.set(of, [...(groups.get(of) ?? []), letter]);
  }
  const found = [...groups.values()].flatMap((letters) => groupOf(all, letters));
  return found.sort((a, b) => b.letters - a.letters || Number(a.example.id - b.example.id));
}

function groupOf(all: readonly HeldLetter[], letters: readonly HeldLetter[]): LetterGroup[] {
  const [first] = letters;
  if (first === undefined) return [];
  const { consumer, cause, topic } = first;
  const { type, schemaId } = letterFacts(first);
  const times = letters.map(({ firstAt }) => firstAt.getTime());
  const keys = keysOf(letters).filter(({ key }) => key !== null);
  return [
    {
      consumer,
      cause,
      type,
      schemaId,
      topic,
      letters: letters.length,
      keys: keys.length,
      waiting: keys.reduce((sum, key) => sum + waitingOf(all, key), 0),
      firstAt: new Date(Math.min(...times)),
      lastAt: new Date(Math.max(...times)),
      example: { id: first.id, message: first.message },
    },
  ];
}

/** See `DeadLetters.survey`. */
export function surveyOf(
  all: readonly HeldLetter[],
  criteria: LetterCriteria,
  keysMax: number,
): LetterSurvey {
  const letters = all.filter(
    (letter) => letter.disposition === "failed" && matches(letter, criteria),
  );
  const keys = keysOf(letters).map((key) => {
    const own = letters.filter((one) => (key.key === null ? one.id === key.id : isOfKey(one, key)));
    const { consumer, generation, topic, partition } = key;
    const of = { consumer, generation, topic, partition, key: key.key };
    return { ...of, letters: own.length, waiting: waitingOf(all, key), firstId: key.id };
  });
  return {
    letters: letters.length,
    keys: keys.length,
    waiting: keys.reduce((sum, { waiting }) => sum + waiting, 0),
    first: keys.slice(0, keysMax),
  };
}

/** The first letter of each key; each one without a key. */
function keysOf(letters: readonly HeldLetter[]): readonly HeldLetter[] {
  const keys = new Map<string, HeldLetter>();
  for (const letter of letters) {
    const { consumer, generation, topic, partition, key, id } = letter;
    const own = key === null ? String(id) : undefined;
    const of = JSON.stringify([consumer, generation, topic, partition, textOf(key), own]);
    if (!keys.has(of)) keys.set(of, letter);
  }
  return [...keys.values()];
}

const waitingOf = (all: readonly HeldLetter[], of: LettersOfKey): number =>
  of.key === null
    ? 0
    : all.filter((one) => one.disposition === "waiting" && isOfKey(one, of)).length;
