import type { SagaFact } from "../saga/facts.ts";
import { decideSaga, type SagaAction, type SagaPlan } from "../saga/plan.ts";
import { evolveSaga, type SagaState } from "../saga/state.ts";
import { assertEqual } from "./given.ts";

export interface GivenSaga<Input, Data> {
  readonly state: SagaState<Input, Data>;
  /** What is to be done now: `do <step>`, `undo <step>`, `complete`, `reverse`. */
  readonly actions: readonly string[];
  /** @throws ExpectationError unless exactly this is to be done, in this order. */
  then(...actions: readonly string[]): void;
}

/**
 * `givenSaga(saga, facts).then("do payment")`: what a saga's definition makes of what has happened,
 * without commands or stores.
 */
export function givenSaga<Input, Data>(
  saga: { readonly name: string; readonly plan: SagaPlan<Input, Data> },
  facts: readonly SagaFact<Input, Data>[],
): GivenSaga<Input, Data> {
  const state = facts.reduce<SagaState<Input, Data>>(evolveSaga, undefined);
  const actions = decideSaga(saga.plan, state).map(shown);
  return {
    state,
    actions,
    // oxlint-disable-next-line unicorn/no-thenable -- never awaited: it gives nothing back
    then: (...expected) => assertEqual(actions, expected, `${saga.name} goes on otherwise`),
  };
}

function shown(action: SagaAction): string {
  switch (action.kind) {
    case "do":
      return `do ${action.step}`;
    case "undo":
      return `undo ${action.tried.step}`;
    case "complete":
    case "reverse":
      return action.kind;
    default:
      return action satisfies never;
  }
}
