import type { DeadlineType } from "../deadline.ts";
import { accept, type Decision, type WantedDeadline } from "../decision/definition.ts";
import type { SagaDefinition } from "./definition.ts";
import { deadlineKey } from "./deadline.ts";
import type { SagaFact } from "./facts.ts";
import type { SagaPlan } from "./plan.ts";
import { factOf, type SagaLedger, type SagaModel } from "./records.ts";
import type { KnownSaga, StepTry } from "./state.ts";

/** A definition with what is made of it: what its commands work with. */
export interface SagaParts<Input, Data, Answer = unknown> extends SagaDefinition<
  Input,
  Data,
  Answer
> {
  readonly model: SagaModel<Input, Data>;
  readonly plan: SagaPlan<Input, Data>;
  readonly deadline: DeadlineType;
}

/** Accepts with one fact, and with the deadline that it sets or makes needless. */
export function recorded<Input, Data, Answer>(
  ledger: SagaLedger<Input, Data>,
  saga: KnownSaga<Input, Data>,
  wanted: {
    readonly fact: SagaFact<Input, Data>;
    readonly answer: Answer;
    readonly deadlines?: readonly WantedDeadline[];
  },
): Decision<Answer> {
  const { fact, answer, deadlines = [] } = wanted;
  const facts = [factOf(ledger, saga, fact)];
  return deadlines.length > 0 ? accept(facts, answer, { deadlines }) : accept(facts, answer);
}

/** Takes a try's deadline back, where it had one. */
export const withoutDeadline = <Data>(
  { deadline }: { readonly deadline: DeadlineType },
  { id }: Pick<KnownSaga, "id">,
  tried: StepTry<Data>,
): readonly WantedDeadline[] =>
  tried.dueAtMs === undefined ? [] : [deadline.cancel(deadlineKey({ id, ...tried }))];
