import { type Static, Type } from "typebox";

import type { Disposition, LetterCriteria } from "../../engine/ports/dead-letters.ts";
import { Id } from "../shapes.ts";

/** Names may be as long as keys and types are. */
const Name = Type.String({
  minLength: 1,
  maxLength: 1_000,
  pattern: String.raw`^[^\u0000-\u001f\u007f\ud800-\udfff]+$`,
});

const Time = (description: string) => Type.String({ format: "date-time", description });

/** What letters are chosen by; everything that is given must apply. */
export const criteriaMembers = {
  consumer: Type.Optional(Id),
  cause: Type.Optional(Id),
  topic: Type.Optional(Id),
  key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4_000,
      description: "The record's key as UTF-8 text, or `base64:` and its bytes.",
    }),
  ),
  type: Type.Optional(Name),
  correlation: Type.Optional(Name),
  from: Type.Optional(Time("Set aside at or after this time.")),
  until: Type.Optional(Time("Set aside before this time.")),
};

const Chosen = Type.Object(criteriaMembers);

/** Criteria as text, of a query string, a body, or a command line. */
export type ChosenLetters = Static<typeof Chosen>;

export const letterStates = ["open", "failed", "waiting", "redriven", "discarded", "all"] as const;

export type LetterState = (typeof letterStates)[number];

const opened: readonly Disposition[] = ["failed", "waiting"];

/** undefined: letters of every disposition. */
export function dispositionOf(state: LetterState): LetterCriteria["disposition"] {
  if (state === "all") return undefined;
  return state === "open" ? opened : state;
}

export function criteriaOf(chosen: ChosenLetters): LetterCriteria {
  const { consumer, cause, topic, key, type, correlation, from, until } = chosen;
  return {
    ...(consumer === undefined ? {} : { consumer }),
    ...(cause === undefined ? {} : { cause }),
    ...(topic === undefined ? {} : { topic }),
    ...(key === undefined ? {} : { key: keyBytes(key) }),
    ...(type === undefined ? {} : { type }),
    ...(correlation === undefined ? {} : { correlationId: correlation }),
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
  };
}

const marked = "base64:";

const keyBytes = (text: string): Buffer =>
  text.startsWith(marked) ? Buffer.from(text.slice(marked.length), "base64") : Buffer.from(text);
