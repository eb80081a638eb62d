import type { DeadlineType } from "../deadline.ts";
import type { CommandCall, FollowedCall } from "../decision/definition.ts";
import type { Emit, ErasedEventProcessor, ErasedReact } from "../processor.ts";
import { type SagaAdvance, sagaAdvance } from "./advance.ts";
import { type ResubmitSaga, resubmitSaga, startSaga, type StartSaga } from "./commands.ts";
import { stepDeadline } from "./deadline.ts";
import type { SagaDefinition, SagaReports, StepReport } from "./definition.ts";
import { assertSaga } from "./faults.ts";
import { sagaModel } from "./records.ts";
import { passStepDeadline, sagaReport } from "./reports.ts";
import type { SagaParts } from "./write.ts";

export interface Saga<Input, Data, Answer> {
  readonly name: string;
  /** The saga as its events say, for whoever decides on it. */
  readonly model: SagaParts<Input, Data>["model"];
  /** Which steps there are and when: what `decideSaga` goes by. */
  readonly plan: SagaParts<Input, Data>["plan"];
  /** Gets sagas on. It keeps no state: what a saga has come to is decided on its events. */
  readonly processor: ErasedEventProcessor;
  readonly deadline: DeadlineType;
  start(input: StartSaga<Input>): CommandCall<Answer>;
  /** Refused with `<name>-unknown` and `<name>-not-reversed`. */
  resubmit(input: ResubmitSaga<Input>): CommandCall<Answer>;
}

/**
 * Declares an orchestrated saga: steps in stages, each a command of somebody's, and what undoes
 * them when one fails. It is event-sourced on a topic of its own.
 *
 * @throws TypeError naming every fault.
 */
export function defineSaga<Input, Data, Answer>(
  definition: SagaDefinition<Input, Data, Answer>,
): Saga<Input, Data, Answer> {
  assertSaga(definition as unknown as Parameters<typeof assertSaga>[0]);
  const { name, topic, stages, stepsMax = 100 } = definition;
  const model = sagaModel<Input, Data>(name, definition);
  const plan = { stages, stepsMax };
  const passed = passStepDeadline({ ...definition, model });
  const deadline = stepDeadline({ name: `${name}-step`, tag: model.tag, passed });
  const parts: SagaParts<Input, Data, Answer> = { ...definition, model, plan, deadline };
  const advance = sagaAdvance(parts);
  const report = sagaReport(parts, advance);
  return {
    name,
    model,
    plan,
    deadline,
    start: startSaga(parts),
    resubmit: resubmitSaga(parts),
    processor: {
      kind: "events",
      name,
      from: [topic, ...(definition.reports ?? []).map(({ from }) => from)],
      on: { ...ownReactions(definition, advance), ...reportReactions(definition, report) },
    },
  };
}

type Reactions = Readonly<Record<string, ErasedReact | "ignore">>;

/**
 * The facts that don't come out of an advance themselves: by a command, or by a deadline. All
 * others are followed by one in their own append.
 */
function ownReactions<Input, Data>(
  { topic, records }: SagaDefinition<Input, Data, unknown>,
  { all }: SagaAdvance<Input, Data>,
): Reactions {
  const advances = [records.started, records.resubmitted, records.stepFailed];
  const names = new Set(advances.map(({ type }) => type.name));
  const react: ErasedReact = (_, event: never, emit) => {
    emitFollowed(emit, all(event[topic.key]));
  };
  return Object.fromEntries(
    topic.events.map(({ name }) => [name, names.has(name) ? react : "ignore"]),
  );
}

function reportReactions<Data>(
  { reports = [] }: { readonly reports?: readonly SagaReports<Data>[] },
  report: (of: StepReport<Data>) => FollowedCall,
): Reactions {
  const reactions = reports.flatMap(({ from, on }) =>
    from.events.map(({ name }): [string, ErasedReact | "ignore"] => {
      const correlate = on[name];
      if (!correlate) return [name, "ignore"];
      const react: ErasedReact = (_, event: never, emit) => {
        const told = correlate(event);
        if (told) emitFollowed(emit, report(told));
      };
      return [name, react];
    }),
  );
  return Object.fromEntries(reactions);
}

function emitFollowed(emit: Emit, { call, ...followUps }: FollowedCall): void {
  emit(call as CommandCall<never>, followUps);
}
