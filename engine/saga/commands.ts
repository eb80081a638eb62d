import { accept, type Decision, defineCommand, refuse } from "../decision/definition.ts";
import { factOf } from "./records.ts";
import type { KnownSaga } from "./state.ts";
import { recorded, type SagaParts } from "./write.ts";

export interface StartSaga<Input> {
  readonly input: Input;
  /** Given: started twice it is one. Left out: a new one. */
  readonly id?: string;
}

/** Starts a saga, where its admission lets it. */
export function startSaga<Input, Data, Answer>(parts: SagaParts<Input, Data, Answer>) {
  const { name, model, admission, answer } = parts;
  return defineCommand({
    name: `${name}-start`,
    reads: ({ id, input }: StartSaga<Input>) => ({
      ...admission?.reads(input),
      ...(id === undefined ? {} : { [ownState]: model.of(id) }),
    }),
    decide: ({ id: given, input }, states, context): Decision<Answer> => {
      const known = (states as Readonly<Record<string, unknown>>)[ownState] as
        KnownSaga<Input, Data> | undefined;
      if (known) return accept([], answer(known));
      const refusal = admission?.refuses(input, states);
      if (refusal) return { kind: "refused", refusal };
      const id = given ?? context.newId();
      const started = factOf(parts, { id, input }, { kind: "started", id, input });
      return accept([started], answer({ id, attempt: 1 }));
    },
  });
}

/** Beside what an admission reads, under a name that it can't have. */
const ownState = " saga";

export interface ResubmitSaga<Input> {
  readonly id: string;
  /** Of what the saga was started with; one for which it is false is refused as if unknown. */
  readonly onlyIf?: (input: Input) => boolean;
}

/**
 * Takes a reversed saga up again, from what is still missing. Refused with `<name>-unknown` and
 * `<name>-not-reversed`.
 */
export function resubmitSaga<Input, Data, Answer>(parts: SagaParts<Input, Data, Answer>) {
  const { name, model, answer } = parts;
  return defineCommand({
    name: `${name}-resubmit`,
    reads: ({ id }: ResubmitSaga<Input>) => ({ saga: model.of(id) }),
    decide: ({ id, onlyIf }, { saga }): Decision<Answer> => {
      if (!saga || onlyIf?.(saga.input) === false) {
        return refuse(`${name}-unknown`, `There is no ${name} ${id}.`);
      }
      if (saga.status !== "reversed") {
        const detail = `The ${name} ${id} is ${saga.status}: only a reversed one is taken up again.`;
        return refuse(`${name}-not-reversed`, detail);
      }
      const attempt = saga.attempt + 1;
      const fact = { kind: "resubmitted", attempt } as const;
      return recorded(parts, saga, { fact, answer: answer({ id, attempt }) });
    },
  });
}
