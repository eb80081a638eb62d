import type { StepToDo, StepToUndo } from "./definition.ts";
import { progressOf, subjectOf } from "./plan.ts";
import type { KnownSaga, StepTry } from "./state.ts";
import type { SagaParts } from "./write.ts";

/** What a step's command is made of. */
export const toDo = <Input, Data>(
  { plan }: Pick<SagaParts<Input, Data>, "plan">,
  saga: KnownSaga<Input, Data>,
  { step, dueAtMs }: { readonly step: string; readonly dueAtMs: number | undefined },
): StepToDo<Input, Data> => ({
  ...progressOf(plan, saga),
  step,
  subject: subjectOf(step),
  dueAtMs,
});

/** What the commands that undo a try are made of. */
export const toUndo = <Input, Data>(
  { id, input }: KnownSaga<Input, Data>,
  { step, attempt, data }: StepTry<Data>,
): StepToUndo<Input, Data> => ({ id, input, attempt, step, subject: subjectOf(step), data });
