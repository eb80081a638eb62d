import { backoffMs } from "../backoff.ts";
import { classify, reasonOf } from "../error-policy.ts";
import { FatalError, InvariantViolation, RefoldError } from "../errors.ts";
import type {
  RebuildChange,
  RebuildFailure,
  RebuildRecord,
  RebuildState,
} from "../ports/rebuilds.ts";
import type { AnyProjection } from "../projection.ts";
import { isOpenRebuild } from "../rebuild-states.ts";
import { begin } from "./begin.ts";
import { type Ending, endRebuild } from "./end.ts";
import { fill } from "./fill.ts";
import { Journey } from "./journey.ts";
import { Lease } from "./lease.ts";
import { type RebuildEnvironment, rebuildLimits } from "./options.ts";
import { asOvertaken } from "./overtaken.ts";
import { promote } from "./promote.ts";
import { prove } from "./prove.ts";
import { canConduct } from "./can-conduct.ts";
import { undo } from "./undo.ts";
import { wantsUndo } from "./wants-undo.ts";

export interface ConductorOptions {
  readonly environment: RebuildEnvironment;
  /** Of the version that the rebuild is of; of any, where it is swapped in and to be undone. */
  readonly projection: AnyProjection;
}

/**
 * Brings one rebuild from wherever it is to its end. Each step is written down when it is done, and
 * does no harm when it is done again: whoever conducts next goes on from what is stored.
 */
export class Conductor {
  readonly #options: ConductorOptions;
  #journey: Journey | undefined;

  constructor(options: ConductorOptions) {
    this.#options = options;
  }

  /** It waits for an operator. */
  get idle(): boolean {
    return this.#journey?.idle ?? false;
  }

  /**
   * Works until the rebuild is over (swapped, without a wish to undo it, or ended), or its lease is
   * somebody else's, or `signal` aborts: then the lease is given back for another process.
   *
   * @returns The record as it was seen last; undefined: somebody else conducts it.
   */
  async conduct(id: bigint, signal: AbortSignal): Promise<RebuildRecord | undefined> {
    const { environment, projection } = this.#options;
    const { leaseMs } = rebuildLimits(environment.limits);
    const lease = await Lease.take(id, { ...environment, leaseMs, signal });
    if (lease === undefined) return undefined;
    const journey = new Journey({ environment, projection, lease });
    this.#journey = journey;
    try {
      journey.at("led");
      assertHasCode(projection, lease.record);
      await this.#travel(journey);
      await lease.leave();
      return { ...lease.record, conductor: undefined };
    } finally {
      await lease.stop();
      await journey.dropReplay();
    }
  }

  async #travel(journey: Journey): Promise<void> {
    for (let failures = 0; !journey.over;) {
      try {
        const record = await journey.turn();
        if (isOver(record) || journey.over) return;
        await this.#step(journey, record);
        failures = 0;
      } catch (error) {
        failures += 1;
        await this.#failed(journey, error, failures);
      }
    }
  }

  /** What may pass is tried again, for as long as it takes; what can't work ends the rebuild. */
  async #failed(journey: Journey, error: unknown, failures: number): Promise<void> {
    if (classify(error) === "rethrow") throw error;
    await journey.dropReplay();
    if (journey.over) return;
    try {
      if (!mayPass(journey.record, error)) return await giveUp(journey, error);
      await journey.progress.waits(reasonOf(error));
    } catch (failure) {
      // What can't be written down now is told, or done, after the next try.
      if (classify(failure) === "rethrow") throw failure;
    }
    const { random } = this.#options.environment;
    const backoff = { ...journey.limits.backoff, attemptsMax: Infinity };
    await journey.pause(1 + backoffMs(Math.min(failures, 30), backoff, random));
  }

  async #step(journey: Journey, record: RebuildRecord): Promise<void> {
    if (isOpenRebuild(record) && record.wish !== "run") return this.#asked(journey, record);
    await stepOf[record.state](journey);
  }

  async #asked(journey: Journey, record: RebuildRecord): Promise<void> {
    const live = await journey.serving();
    // The pointer has moved, and nobody could write it down: what is wished comes too late.
    if (live.generation === record.shadow) return promote(journey);
    if (record.wish === "abandon") return ended(journey, { state: "abandoned" });
    journey.idle = true;
    await journey.dropReplay();
    await journey.progress.waits("It is paused.");
    await journey.untilAsked();
    journey.idle = false;
    if (!journey.over) await journey.progress.waits(undefined);
  }
}

const nothing = (): Promise<void> => Promise.resolve();

const stepOf: Readonly<Record<RebuildState, (journey: Journey) => Promise<void>>> = {
  planned: begin,
  filling: fill,
  proving: prove,
  proved: promote,
  swapped: undo,
  undone: nothing,
  abandoned: nothing,
  failed: nothing,
};

/** There is nothing to do for a conductor. */
const isOver = (record: RebuildRecord): boolean => !isOpenRebuild(record) && !wantsUndo(record);

/** An undo, once asked for, is given up only for what is known to make it impossible. */
function mayPass(record: RebuildRecord, error: unknown): boolean {
  const verdict = classify(error);
  if (verdict === "retry" || verdict === "fenced") return true;
  return !isOpenRebuild(record) && !(error instanceof FatalError);
}

/** It can't go on, and won't by itself. What serves is left as it is. */
async function giveUp(journey: Journey, why: unknown): Promise<void> {
  const error = asOvertaken(why);
  const failure: RebuildFailure = {
    code: error instanceof RefoldError ? error.code : "unknown",
    message: error instanceof Error ? error.message : String(error),
  };
  if (!isOpenRebuild(journey.record)) return journey.note({ failure });
  await ended(journey, { state: "failed", failure });
}

async function ended(journey: Journey, ending: Ending): Promise<void> {
  await journey.dropReplay();
  const note = (change: RebuildChange): Promise<void> => journey.note(change);
  await endRebuild(journey.environment, journey.record, { ending, note });
}

function assertHasCode(projection: AnyProjection, record: RebuildRecord): void {
  if (canConduct(projection, record)) return;
  const { id, request } = record;
  throw new InvariantViolation(
    `Rebuild ${id} is of ${request.projection} in version ${request.version}, and its conductor ` +
      `has ${projection.name} in version ${projection.version}.`,
  );
}
