import {
  accept,
  type Decision,
  defineCommand,
  followed,
  type FollowedCall,
} from "../decision/definition.ts";
import type { SagaAdvance } from "./advance.ts";
import type { StepReport, StepToUndo } from "./definition.ts";
import type { TryOfSaga } from "./deadline.ts";
import type { SagaFact } from "./facts.ts";
import { type KnownSaga, sameTry, type SagaState, type StepTry } from "./state.ts";
import { toUndo } from "./step-input.ts";
import { recorded, type SagaParts, withoutDeadline } from "./write.ts";

/** The code with which a step fails whose end wasn't reported in time. */
export const stepTimedOut = "step-timed-out";

/** What a report leads to. */
type Next<Input, Data> =
  | { readonly kind: "nothing" | "advance" }
  | { readonly kind: "ask"; readonly tried: StepToUndo<Input, Data> };

/**
 * Takes a report down and goes on. A report that tells what is known already changes nothing; a
 * success after a failure is recorded, and undone.
 */
export function sagaReport<Input, Data>(
  parts: SagaParts<Input, Data>,
  { all, askEnded }: SagaAdvance<Input, Data>,
): (report: StepReport<Data>) => FollowedCall {
  const report = defineCommand({
    name: `${parts.name}-report`,
    reads: (input: StepReport<Data>) => ({ saga: parts.model.of(input.sagaId) }),
    decide: (input, { saga }): Decision<Next<Input, Data>> => {
      const tried = reportedTry(saga, input);
      if (!saga || !tried) return accept([], { kind: "nothing" });
      if (input.outcome.kind === "undone" && tried.state === "compensating") {
        return accept([], { kind: "ask", tried: toUndo(saga, tried) });
      }
      const fact = factOfReport<Input, Data>(input, tried);
      if (!fact) return accept([], { kind: "nothing" });
      const deadlines = withoutDeadline(parts, saga, tried);
      return recorded(parts, saga, { fact, answer: { kind: "advance" }, deadlines });
    },
  });
  return (input) =>
    followed(report(input), {
      accepted: (next) => {
        if (next.kind === "ask") return askEnded(next.tried);
        return next.kind === "advance" ? all(input.sagaId) : undefined;
      },
    });
}

function reportedTry<Input, Data>(
  saga: SagaState<Input, Data>,
  { step, isOf }: StepReport<Data>,
): StepTry<Data> | undefined {
  return saga?.tries.findLast(
    (one) => one.step === step && (!isOf || (one.data !== undefined && isOf(one.data))),
  );
}

function factOfReport<Input, Data>(
  { outcome }: StepReport<Data>,
  { state, step, attempt, data }: StepTry<Data>,
): SagaFact<Input, Data> | undefined {
  if (outcome.kind === "done" && (state === "started" || state === "failed")) {
    return { kind: "stepDone", step, attempt, data };
  }
  if (outcome.kind !== "failed" || state !== "started") return undefined;
  const { reason, detail } = outcome;
  return { kind: "stepFailed", step, attempt, reason, detail };
}

/** The command of the deadline of a saga's steps: a step that has ended keeps its outcome. */
export function passStepDeadline<Input, Data>(
  parts: Pick<SagaParts<Input, Data>, "name" | "model" | "topic" | "records">,
) {
  return defineCommand({
    name: `${parts.name}-step-deadline`,
    reads: ({ id }: TryOfSaga) => ({ saga: parts.model.of(id) }),
    decide: (input, { saga }): Decision<undefined> => {
      if (!saga || !isWaiting(saga, input)) return accept([], undefined);
      const { step, attempt } = input;
      const detail = `No end of ${step} was reported in time.`;
      const reason = stepTimedOut;
      const fact = { kind: "stepFailed", step, attempt, reason, detail } as const;
      return recorded(parts, saga, { fact, answer: undefined });
    },
  });
}

const isWaiting = (saga: KnownSaga, tried: TryOfSaga): boolean =>
  saga.tries.some((one) => sameTry(one, tried) && one.state === "started");
