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
 * Gives the commands of a plan in event-time order, the store's clock set to each group's time.
 *
 * A run that was stopped goes on at the recorded time that it had reached: the groups before it
 * are done, and that group is given again. Event ids are made from module and student, so that
 * what is there already is not doubled.
 */
export async function importOulad(
  plan: ImportPlan,
  existing: Existing,
  options: OuladImportOptions,
): Promise<OuladRun> {
  const { hold, signal, progress } = options;
  const from = plan.groups.findIndex((group) => group.timeMs >= (existing.reachedMs ?? 0));
  const rest = from === -1 ? [] : plan.groups.slice(from);
  await hold.acquire(holdName, existing.reachedMs ?? plan.offeredAtMs);
  await offerModules(plan, { ...options, timeoutMs: options.offerTimeoutMs ?? 60_000 });
  const refusals = new Map<string, number>();
  const total = plan.registrations + plan.withdrawals;
  const skipped = total - countSteps(rest);
  let done = skipped;
  let readUpTo = done;
  for (const [at, group] of rest.entries()) {
    if (signal.aborted) return { finished: false, commands: done - skipped, refusals };
    if (done >= readUpTo) readUpTo = done + (await readAhead(rest, at, options));
    await hold.setClock(group.timeMs);
    await giveGroup(group, refusals, options);
    done += group.steps.length;
    progress.show({ done, total, at: new Date(group.timeMs).toISOString().slice(0, 10) });
  }
  return { finished: true, commands: done - skipped, refusals };
}

const countSteps = (groups: readonly StepGroup[]): number =>
  groups.reduce((count, group) => count + group.steps.length, 0);

/** The steps of a group are given in order, so that they are decided in order. */
async function giveGroup(
  { steps }: StepGroup,
  refusals: Map<string, number>,
  options: OuladImportOptions,
): Promise<void> {
  const inFlightMax = options.inFlightMax ?? 2_000;
  for (let at = 0; at < steps.length; at += inFlightMax) {
    const part = steps.slice(at, at + inFlightMax);
    const results = await Promise.all(part.map((step) => giveStep(step, options)));
    for (const refusal of results) {
      if (refusal) refusals.set(refusal.code, (refusals.get(refusal.code) ?? 0) + 1);
    }
  }
}

/**
 * Reads what the next groups' commands must know, in one go: most groups are small, and a read for
 * each would double their time. The plan itself is dropped: nothing of it is appended.
 */
async function readAhead(
  groups: readonly StepGroup[],
  from: number,
  options: OuladImportOptions,
): Promise<number> {
  const commandsMax = options.readAheadCommands ?? 1_000;
  const calls: GivenCall[] = [];
  for (let at = from; at < groups.length && calls.length < commandsMax; at += 1) {
    for (const step of groups[at]?.steps ?? []) calls.push(callOf(step, options));
  }
  await options.decider.plan(calls);
  return calls.length;
}

interface GivenCall {
  readonly call: CommandCall<unknown>;
  readonly origin: Origin;
}

function callOf(
  { kind, moduleCode, studentId }: PlannedStep,
  { registrationIdOf }: OuladImportOptions,
): GivenCall {
  const seed = `oulad/${moduleCode}/${studentId}/register`;
  if (kind === "register") {
    return { call: register({ moduleCode, studentId }), origin: { correlationId, seed } };
  }
  const origin = { correlationId, seed: `${seed}/withdraw` };
  return { call: withdraw({ registrationId: registrationIdOf(seed) }), origin };
}

async function giveStep(
  step: PlannedStep,
  options: OuladImportOptions,
): Promise<Refusal | undefined> {
  const { call, origin } = callOf(step, options);
  const result = await options.decider.execute(call, origin);
  if (result.outcome === "accepted") return undefined;
  if (result.outcome === "refused") return expected(result.refusal);
  throw new TransientError("held", `The store is held by ${result.by}: another import runs.`);
}

/**
 * Refused and counted: a full module, and the withdrawal of a registration that was refused. In
 * the group that is given again, also what is there already.
 */
const expectedCodes: ReadonlySet<string> = new Set([
  "module-full",
  "already-registered",
  "registration-unknown",
]);

function expected(refusal: Refusal): Refusal {
  if (expectedCodes.has(refusal.code)) return refusal;
  throw new InvariantViolation(`The import's command was refused: ${refusal.detail}`);
}
