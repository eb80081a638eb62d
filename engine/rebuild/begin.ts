import type { GenerationInfo, GenerationStart } from "../ports/generations.ts";
import type { Generation } from "../ports/read-model-store.ts";
import type { RebuildPlan } from "../ports/rebuilds.ts";
import { readModelOf } from "../task/projection-store.ts";
import { coldPositions } from "./cold-positions.ts";
import type { Journey } from "./journey.ts";
import { planRebuild } from "./plan.ts";

/** Plans it, and makes the shadow with what it begins from. */
export async function begin(journey: Journey): Promise<void> {
  const { record } = journey;
  // Written down before the shadow is made: what it begins from is known to whoever goes on.
  if (record.plan === undefined) {
    const plan = await planned(journey, await journey.serving());
    journey.at("planned");
    return journey.note({ plan });
  }
  const shadow = (await madeBefore(journey)) ?? (await create(journey, record.plan));
  journey.at("shadow-created");
  await journey.note({ state: "filling", shadow: shadow.generation });
  journey.at("shadow-noted");
}

function planned(journey: Journey, serving: GenerationInfo): Promise<RebuildPlan> {
  const { environment, projection, record, limits } = journey;
  const { request } = record;
  return planRebuild({ ...environment, projection, request, serving, limits: limits.plan });
}

/** By a conductor that couldn't write it down any more. */
async function madeBefore({ environment, record }: Journey): Promise<Generation | undefined> {
  const builds = await environment.generations.list(record.request.projection);
  return builds.find(({ role, rebuild }) => role === "building" && rebuild === record.id);
}

async function create(journey: Journey, plan: RebuildPlan): Promise<Generation> {
  const { environment, projection, record } = journey;
  const start = await startOf(journey, plan);
  return environment.generations.create(readModelOf(projection), start, record.id);
}

async function startOf(journey: Journey, plan: RebuildPlan): Promise<GenerationStart> {
  const { environment, projection } = journey;
  const { start, partitions } = plan;
  switch (start.kind) {
    case "beginning":
      return {};
    case "snapshot":
      return { snapshot: start.snapshot };
    case "cold": {
      const { log, readModels } = environment;
      const live = await readModels.positions(await journey.serving());
      return { positions: await coldPositions({ projection, partitions, live, log }) };
    }
    default:
      return start satisfies never;
  }
}
