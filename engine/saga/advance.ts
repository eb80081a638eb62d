import {
  accept,
  type CommandCall,
  type Decision,
  type DecisionContext,
  defineCommand,
  followed,
  type FollowedCall,
  type Following,
  type Refusal,
} from "../decision/definition.ts";
import { RecordError } from "../errors.ts";
import type { StepToDo, StepToUndo } from "./definition.ts";
import { deadlineKey } from "./deadline.ts";
import type { SagaFact } from "./facts.ts";
import { decideSaga, stepNamed } from "./plan.ts";
import { rememberedReadAhead } from "./read-ahead.ts";
import { toDo, toUndo } from "./step-input.ts";
import { recorded, type SagaParts } from "./write.ts";

/** A step's command, or those that undo one, which the saga's own event follows. */
type Errand<Input, Data> =
  | { readonly kind: "do"; readonly at: StepToDo<Input, Data> }
  | { readonly kind: "undo"; readonly at: StepToUndo<Input, Data> };

export interface SagaAdvance<Input, Data> {
  /** Does all that can be done now, until the saga waits or has ended. */
  readonly all: (id: string) => FollowedCall;
  /** Asks whether an undoing has ended, and goes on if so. */
  readonly askEnded: (tried: StepToUndo<Input, Data>) => Following;
}

/**
 * How a saga gets on: one action is decided, its commands follow, the saga's event about them, and
 * then the next action. So what a saga does and what it knows of it are one append, and nothing
 * is decided on a state that has become old.
 */
export function sagaAdvance<Input, Data>(parts: SagaParts<Input, Data>): SagaAdvance<Input, Data> {
  const advance = advanceCommand(parts);
  const record = recordCommand(parts);
  const all = (id: string): FollowedCall =>
    followed(advance({ id }), {
      accepted: (errand) => errand && [...run(errand), all(id)],
    });
  const run = (errand: Errand<Input, Data>): readonly FollowedCall[] =>
    errand.kind === "do" ? doing(errand.at) : undoing(errand.at);

  const doing = (at: StepToDo<Input, Data>): readonly FollowedCall[] => {
    const { id, step, attempt, dueAtMs } = at;
    const { call, keep } = stepNamed(parts, step);
    const accepted = (answer: unknown): CommandCall => {
      const data = keep?.(answer as never, at);
      const what = { step, attempt, data };
      const fact = dueAtMs === undefined ? ended(what) : begun(what, dueAtMs);
      return record({ id, fact });
    };
    const refused = ({ code, detail }: Refusal): CommandCall =>
      record({ id, fact: { kind: "stepFailed", step, attempt, reason: code, detail } });
    return [followed(call(at), { accepted, refused })];
  };

  const compensated = ({ id, step, attempt }: StepToUndo<Input, Data>): CommandCall =>
    record({ id, fact: { kind: "stepCompensated", step, attempt } });

  const undoing = (tried: StepToUndo<Input, Data>): readonly FollowedCall[] => {
    const { id, step, attempt } = tried;
    const { undo } = stepNamed(parts, step);
    const made = undo?.calls(tried) ?? [];
    const calls = "length" in made ? made : [made];
    const refused = (refusal: Refusal): Following =>
      undo?.needless?.(refusal) === true ? undefined : setAside({ tried, refusal });
    const done = calls.map((call) => followed(call, { refused }));
    if (!undo?.ended) return [...done, { call: compensated(tried) }];
    const compensating = record({ id, fact: { kind: "stepCompensating", step, attempt } });
    const asked = followed(undo.ended(tried), { accepted: () => compensated(tried) });
    return [...done, { call: compensating }, asked];
  };

  const askEnded = (tried: StepToUndo<Input, Data>): Following => {
    const { undo } = stepNamed(parts, tried.step);
    if (!undo?.ended) return undefined;
    return followed(undo.ended(tried), { accepted: () => [compensated(tried), all(tried.id)] });
  };
  return { all, askEnded };
}

const ended = <Data>(what: { step: string; attempt: number; data: Data | undefined }) =>
  ({ kind: "stepDone", ...what }) as const;

const begun = <Data>(
  what: { step: string; attempt: number; data: Data | undefined },
  dueAtMs: number,
) => ({ kind: "stepStarted", ...what, dueAtMs }) as const;

/** Decides the next action; one that only the saga has to do with is recorded at once. */
function advanceCommand<Input, Data>(parts: SagaParts<Input, Data>) {
  const readAhead = rememberedReadAhead(parts);
  return defineCommand({
    name: `${parts.name}-advance`,
    reads: ({ id }: { readonly id: string }) => ({ saga: parts.model.of(id) }),
    readsMore: (_, { saga }) => (saga ? readAhead(saga) : {}),
    decide: (_, { saga }, context): Decision<Errand<Input, Data> | undefined> => {
      const [action] = decideSaga(parts.plan, saga);
      if (!saga || !action) return accept([], undefined);
      const { attempt } = saga;
      const answer = undefined;
      switch (action.kind) {
        case "do": {
          const { step } = action;
          const dueAtMs = dueAt(parts, step, context);
          return accept([], { kind: "do", at: toDo(parts, saga, { step, dueAtMs }) });
        }
        case "undo":
          return accept([], { kind: "undo", at: toUndo(saga, action.tried) });
        case "complete":
          return recorded(parts, saga, { fact: { kind: "completed", attempt }, answer });
        case "reverse": {
          const { reason } = action;
          return recorded(parts, saga, { fact: { kind: "reversed", attempt, reason }, answer });
        }
        default:
          return action satisfies never;
      }
    },
  });
}

/** When a step that begins now will have failed; undefined: it ends at once. */
function dueAt<Input, Data>(
  parts: SagaParts<Input, Data>,
  step: string,
  context: Pick<DecisionContext, "inMs">,
): number | undefined {
  const { reportedWithinMs } = stepNamed(parts, step);
  return reportedWithinMs === undefined ? undefined : context.inMs(reportedWithinMs);
}

/** Records what became of a step's command, right after it. */
function recordCommand<Input, Data>(parts: SagaParts<Input, Data>) {
  return defineCommand({
    name: `${parts.name}-record`,
    reads: ({ id }: { readonly id: string; readonly fact: SagaFact<Input, Data> }) => ({
      saga: parts.model.of(id),
    }),
    decide: ({ fact }, { saga }): Decision<undefined> => {
      if (!saga) return accept([], undefined);
      const due = fact.kind === "stepStarted" ? fact.dueAtMs : undefined;
      if (fact.kind !== "stepStarted" || due === undefined) {
        return recorded(parts, saga, { fact, answer: undefined });
      }
      const deadlines = [parts.deadline.at(deadlineKey({ id: saga.id, ...fact }), due)];
      return recorded(parts, saga, { fact, answer: undefined, deadlines });
    },
  });
}

interface Refused {
  readonly tried: Omit<StepToUndo<unknown, unknown>, "input" | "data">;
  readonly refusal: Refusal;
}

/** A person has to look: the record waits as a dead letter, and goes on from there. */
const setAside = defineCommand({
  name: "saga-set-aside",
  reads: () => ({}),
  decide: ({ tried, refusal }: Refused): Decision<never> => {
    throw new RecordError(
      "saga-undo-refused",
      `${tried.step} of saga ${tried.id} can't be undone: ${refusal.code}, ${refusal.detail} ` +
        "Make the undoing possible and redrive the record, or name the refusal as needless.",
    );
  },
});
