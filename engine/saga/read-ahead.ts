import type { Command, CommandCall, ModelOf } from "../decision/definition.ts";
import type { SagaParts } from "./write.ts";
import { decideSaga, stepNamed, triesToUndo } from "./plan.ts";
import type { KnownSaga } from "./state.ts";
import { toDo, toUndo } from "./step-input.ts";

type Ahead = Readonly<Record<string, ModelOf>>;

/** A round asks several times about the same state, which never changes. */
export function rememberedReadAhead<Input, Data>(
  parts: SagaParts<Input, Data>,
): (saga: KnownSaga<Input, Data>) => Ahead {
  const known = new WeakMap<KnownSaga<Input, Data>, Ahead>();
  return (saga) => {
    const found = known.get(saga) ?? readAhead(parts, saga);
    known.set(saga, found);
    return found;
  };
}

/**
 * What the commands read that are next: of all steps of the stage, or of all that is to be undone.
 * Known beforehand, it is read in one query; otherwise each command would have to be decided for
 * the next one's models to be named, and read.
 */
function readAhead<Input, Data>(
  parts: SagaParts<Input, Data>,
  saga: KnownSaga<Input, Data>,
): Ahead {
  const calls = [...callsToDo(parts, saga), ...callsToUndo(parts, saga)];
  const models = calls.flatMap(({ command, input }, at) => {
    const { reads } = command as unknown as Command;
    return Object.entries(reads(input)).map(([name, model]) => [`${at}/${name}`, model] as const);
  });
  return Object.fromEntries(models);
}

/** A step's time isn't known yet, and no command's reads can depend on it. */
const noTimeYet = 0;

function callsToDo<Input, Data>(
  parts: SagaParts<Input, Data>,
  saga: KnownSaga<Input, Data>,
): readonly CommandCall[] {
  return decideSaga(parts.plan, saga).flatMap((action) => {
    if (action.kind !== "do") return [];
    const { step } = action;
    const { call, reportedWithinMs } = stepNamed(parts, step);
    const dueAtMs = reportedWithinMs === undefined ? undefined : noTimeYet;
    return [call(toDo(parts, saga, { step, dueAtMs }))];
  });
}

function callsToUndo<Input, Data>(
  parts: SagaParts<Input, Data>,
  saga: KnownSaga<Input, Data>,
): readonly CommandCall[] {
  return triesToUndo(parts.plan, saga).flatMap((one) => {
    const { undo } = stepNamed(parts, one.step);
    const tried = toUndo(saga, one);
    return [undo?.calls(tried) ?? [], undo?.ended?.(tried) ?? []].flat();
  });
}
