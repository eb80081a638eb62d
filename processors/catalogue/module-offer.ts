import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

/** What a module's row says of it. Times are milliseconds since 1970 (UTC); null: no bound. */
export interface ModuleDetails {
  readonly title: string;
  readonly feeCents: number;
  readonly opensAt: number | null;
  readonly closesAt: number | null;
}

export interface OfferedModule extends ModuleDetails {
  readonly capacity: number;
}

/** A module as its events say it is on offer; undefined: never offered, or withdrawn. */
export type ModuleOffer = OfferedModule | undefined;

/** Registrations don't concern it, so that a change of a row never conflicts with them. */
export const moduleOffer = defineDecisionModel({
  name: "module-offer",
  tag: "module",
  topic: moduleEvents,
  initial: undefined as ModuleOffer,
  on: {
    ModuleOffered: (_, event): ModuleOffer => ({
      ...detailsOf(event),
      capacity: event.capacity,
    }),
    ModuleDetailsChanged: (offer, event): ModuleOffer => offer && { ...offer, ...detailsOf(event) },
    ModuleCapacityChanged: (offer, event): ModuleOffer =>
      offer && { ...offer, capacity: event.capacity },
    ModuleWithdrawn: (): ModuleOffer => undefined,
  },
});

export function detailsOf(from: ModuleDetails): ModuleDetails {
  const { title, feeCents, opensAt, closesAt } = from;
  return { title, feeCents, opensAt, closesAt };
}

export const sameDetails = (a: ModuleDetails, b: ModuleDetails): boolean =>
  a.title === b.title &&
  a.feeCents === b.feeCents &&
  a.opensAt === b.opensAt &&
  a.closesAt === b.closesAt;
