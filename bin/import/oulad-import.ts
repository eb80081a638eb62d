import type { Pool } from "pg";

import type { Decider } from "../../engine/decision/decider.ts";
import type { CommandCall, Refusal } from "../../engine/decision/definition.ts";
import type { Origin } from "../../engine/decision/outcome.ts";
import { InvariantViolation, TransientError } from "../../engine/errors.ts";
import type { Clock } from "../../engine/ports/clock.ts";
import type { StoreHold } from "../../engine/ports/store-hold.ts";
import { registerWith, withdraw } from "../../processors/seats/index.ts";
import { correlationId, type Existing } from "./existing.ts";
import { offerModules } from "./offer-modules.ts";
import type { ImportPlan, PlannedStep, StepGroup } from "./oulad-plan.ts";
import type { Progress } from "./progress.ts";

/** The hold's name; a run that goes on takes up the hold of the one before. */
export const holdName = "oulad";

/** Commands given at once: a round of the decider, and one request of the store. */
export const partCommands = 1_000;

/** Nobody was refused for a number of modules in those years. */
const register = registerWith({ studentModuleLimit: "unlimited" });

export interface OuladImportOptions {
  /** Decides as the hold's holder. */
  readonly decider: Pick<Decider, "execute" | "plan">;
  readonly hold: StoreHold;
  readonly pool: Pool;
  readonly clock: Clock;
  /** Ends the run after the group of commands at hand. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Commands that wait at once; a group that is larger is given in parts. */
  readonly inFlightMax?: number;
  /** Commands whose models are read together, before the first of them is given. */
  readonly readAheadCommands?: number;
  readonly offerTimeoutMs?: number;
  /** The id that `register` gives a registration under this seed. */
  readonly registrationIdOf: (seed: string) => string;
}

/** What the commands of this run came to. */
export interface OuladRun {
  readonly finished: boolean;
  /** Commands given in this run. */
  readonly commands: number;
  readonly refusals: ReadonlyMap<string, number>;
}

/**
 * Gives the commands of a plan in event-time order, each with its time, a part after the other: a
 * part is recorded whole or not at all, and what failed can't be overtaken by what comes later.
 *
 * A run that was stopped goes on at the recorded time that it had reached: what is before it is
 * done, and the commands of that time are given again. Event ids are made from module and student,
 * so that what is there already is not doubled. The hold's clock moves with what is recorded.
 */
export async function importOulad(
  plan: ImportPlan,
  existing: Existing,
  options: OuladImportOptions,
): Promise<OuladRun> {
  const { hold, signal, progress } = options;
  await hold.acquire(holdName, existing.reachedMs ?? plan.offeredAtMs);
  await offerModules(plan, { ...options, timeoutMs: options.offerTimeoutMs ?? 60_000 });
  const from = plan.groups.findIndex((group) => group.timeMs >= (existing.reachedMs ?? 0));
  const rest = from === -1 ? [] : plan.groups.slice(from).flatMap(stepsAt);
  const total = plan.registrations + plan.withdrawals;
  const skipped = total - rest.length;
  const refusals = new Map<string, number>();
  for (let at = 0; at < rest.length; at += partCommands) {
    if (signal.aborted) return { finished: false, commands: at, refusals };
    const part = rest.slice(at, at + partCommands);
    for (const refusal of await Promise.all(part.map((step) => giveStep(step, options)))) {
      if (refusal) refusals.set(refusal.code, (refusals.get(refusal.code) ?? 0) + 1);
    }
    const reached = new Date(part.at(-1)?.timeMs ?? 0).toISOString().slice(0, 10);
    progress.show({ done: skipped + at + part.length, total, at: reached });
  }
  return { finished: true, commands: rest.length, refusals };
}

interface StepAt extends PlannedStep {
  readonly timeMs: number;
}

const stepsAt = ({ timeMs, steps }: StepGroup): StepAt[] =>
  steps.map((step) => ({ ...step, timeMs }));

interface GivenCall {
  readonly call: CommandCall<unknown>;
  readonly origin: Origin;
}

function callOf(
  { kind, moduleCode, studentId, timeMs }: StepAt,
  { registrationIdOf }: OuladImportOptions,
): GivenCall {
  const seed = `oulad/${moduleCode}/${studentId}/register`;
  const origin = { correlationId, atMs: timeMs };
  if (kind === "register") {
    const call = register({ moduleCode, studentId });
    return { call: refusingOnly(call), origin: { ...origin, seed } };
  }
  const call = withdraw({ registrationId: registrationIdOf(seed) });
  return { call: refusingOnly(call), origin: { ...origin, seed: `${seed}/withdraw` } };
}

async function giveStep(step: StepAt, options: OuladImportOptions): Promise<Refusal | undefined> {
  const { call, origin } = callOf(step, options);
  const result = await options.decider.execute(call, origin);
  if (result.outcome === "accepted") return undefined;
  if (result.outcome === "refused") return result.refusal;
  if (result.outcome === "held") {
    throw new TransientError("held", `The store is held by ${result.by}: another import runs.`);
  }
  throw new InvariantViolation(
    "A step of the import has no key, and was taken for a repeated one.",
  );
}

/**
 * Refused and counted: a full module, and the withdrawal of a registration that was refused. Among
 * what is given again, also what is there already.
 */
const expectedCodes: ReadonlySet<string> = new Set([
  "module-full",
  "already-registered",
  "registration-unknown",
]);

/**
 * A command that is refused for another reason fails, and with it its part: recorded without it,
 * the part would never be given again.
 */
function refusingOnly<Answer>({ command, input }: CommandCall<Answer>): CommandCall<Answer> {
  const decide: typeof command.decide = (given, states, context) => {
    const decision = command.decide(given, states, context);
    if (decision.kind === "accepted" || expectedCodes.has(decision.refusal.code)) return decision;
    throw new InvariantViolation(`The import's command was refused: ${decision.refusal.detail}`);
  };
  return { command: { ...command, decide }, input };
}
