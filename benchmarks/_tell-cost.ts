import type { Cost } from "./_cost.ts";
import { tell, tellRate } from "./harness/tell.ts";

export interface CostOfEvents {
  readonly name: string;
  readonly cost: Cost;
  readonly events: number;
  /** Name of the figure that it stands below. */
  readonly ceiling: string;
}

/** Tells the rate, and the processor time of an event in Node and, where it can be told, in Postgres. */
export function tellCost({ name, cost, events, ceiling }: CostOfEvents): void {
  tellRate({ name, of: "events", count: events, seconds: cost.seconds, ceiling });
  const of = { unit: "µs/event", better: "less", role: "measured" } as const;
  const eachUs = (seconds: number): number => (seconds * 1_000_000) / events;
  tell({ ...of, name: `${name}, processor time of Node`, value: eachUs(cost.nodeSeconds) });
  if (cost.postgresSeconds === undefined) return;
  tell({ ...of, name: `${name}, processor time of Postgres`, value: eachUs(cost.postgresSeconds) });
}
