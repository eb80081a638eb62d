import { type DeadlineType, defineDeadline } from "../deadline.ts";
import type { CommandCall } from "../decision/definition.ts";
import type { TryOfStep } from "./facts.ts";

export interface TryOfSaga extends TryOfStep {
  readonly id: string;
}

/** The deadline of a saga's steps: `<saga id>/<step>/<attempt>`, each part percent-encoded. */
export function stepDeadline(definition: {
  readonly name: string;
  /** Kind of the tag that saga ids are found by. */
  readonly tag: string;
  readonly passed: (tried: TryOfSaga) => CommandCall;
}): DeadlineType {
  const { name, tag, passed } = definition;
  return defineDeadline({
    name,
    tags: (key) => [`${tag}:${tryOf(key).id}`],
    passed: ({ key }) => passed(tryOf(key)),
  });
}

export const deadlineKey = ({ id, step, attempt }: TryOfSaga): string =>
  [id, step, String(attempt)].map(encodeURIComponent).join("/");

function tryOf(key: string): TryOfSaga {
  const [id = "", step = "", attempt] = key.split("/").map(decodeURIComponent);
  return { id, step, attempt: Number(attempt) };
}
