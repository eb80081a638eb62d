import { planShape } from "../../api/rebuilds/plan-shape.ts";
import type { RebuildPlan, RebuildRecord, RebuildRequest } from "../../engine/ports/rebuilds.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { planRebuild } from "../../engine/rebuild/index.ts";
import { neverBuilt, servingGeneration } from "../history/serving.ts";
import { CommandFailure } from "../command-failure.ts";
import { canAsk, confirm } from "../confirm.ts";
import { StopSignals } from "../stop-signals.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { connect, type Connected } from "../system/connect.ts";
import { application } from "../system/definitions.ts";
import { projectionNamed, requestOf, type RequestOptions } from "./asking.ts";
import { follow, type FollowOptions } from "./follow.ts";
import { planText } from "./plan-text.ts";

export type RebuildOptions = RequestOptions & FollowOptions & { readonly dryRun?: true };

/** `refold rebuild <projection>`: plans, asks, and conducts it in this process. */
export async function startRebuild(name: string, options: RebuildOptions): Promise<void> {
  const { projections } = application;
  const projection = projectionNamed(projections, name);
  await using connected = await connect("rebuild", options, { projections });
  const request = await requestOf(projection, options, connected.eventStore);
  const plan = await planned(connected, projection, request);
  if (options.json !== true) print(planText(plan));
  else if (options.dryRun) print(JSON.stringify(planShape(plan), undefined, 2));
  if (options.dryRun) return;
  using signals = new StopSignals(() => process.exit(130));
  if (!(await isWanted(request, options, signals.stop))) {
    throw new CommandFailure("failed", "Nothing was begun.");
  }
  const known = { plan, proof: undefined };
  const record = await started(connected, request);
  await follow(record, { connected, projection, ends: ["swapped"], options, signals, known });
}

async function planned(
  connected: Connected,
  projection: AnyProjection,
  request: RebuildRequest,
): Promise<RebuildPlan> {
  const serving = await servingGeneration(connected.generations, projection.name);
  const { readModelStore: readModels } = connected;
  const ports = { clock: systemClock, random: new SystemRandom(), readModels };
  return planRebuild({ ...connected, ...ports, projection, request, serving });
}

async function isWanted(
  { projection, accept }: RebuildRequest,
  { yes, json }: RebuildOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (yes === true || json === true || !canAsk()) return true;
  const when = accept ? "whatever differs" : "if it is proved equal";
  return confirm(`Rebuild ${projection}, and swap it in ${when}?`, signal);
}

async function started(
  { rebuilds }: Pick<Connected, "rebuilds">,
  request: RebuildRequest,
): Promise<RebuildRecord> {
  const start = await rebuilds.start(request);
  switch (start.outcome) {
    case "started":
      return start.record;
    case "open": {
      const { id, state } = start.record;
      throw new CommandFailure(
        "failed",
        `Rebuild ${id} of ${request.projection} is ${state}, and there can be one at a time: ` +
          `refold rebuild show ${id} tells of it, refold rebuild abandon ${id} gives it up.`,
      );
    }
    case "never-built":
      throw neverBuilt(request.projection);
    default:
      return start satisfies never;
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
