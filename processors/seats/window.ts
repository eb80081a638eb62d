import type { Decision, DecisionContext } from "../../engine/decision/definition.ts";
import type { ModuleSeats } from "./module-seats.ts";
import { no } from "./refusals.ts";

/** Registration is open from the first moment of its window until the last, which is closed. */
export function outsideWindow(
  moduleCode: string,
  { opensAtMs, closesAtMs }: ModuleSeats,
  context: DecisionContext,
): Decision<never> | undefined {
  if (opensAtMs !== null && !context.reached(opensAtMs)) {
    return no("registration-not-open", `Registration for ${moduleCode} opens ${at(opensAtMs)}.`);
  }
  if (closesAtMs !== null && context.reached(closesAtMs)) {
    return no("registration-closed", `Registration for ${moduleCode} closed ${at(closesAtMs)}.`);
  }
  return undefined;
}

const at = (ms: number): string => `at ${new Date(ms).toISOString()}`;
