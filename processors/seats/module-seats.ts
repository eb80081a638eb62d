import { defineDecisionModel } from "../../engine/decision/definition.ts";
import { moduleEvents } from "../../schemas/topics.ts";

/** What a decision on a seat must know of its module. */
export interface ModuleSeats {
  readonly offered: boolean;
  readonly title: string;
  readonly capacity: number;
  readonly feeCents: number;
  /** Milliseconds since 1970 (UTC); null: no bound. */
  readonly opensAtMs: number | null;
  readonly closesAtMs: number | null;
  readonly held: number;
  readonly confirmed: number;
}

const unknownModule: ModuleSeats = {
  offered: false,
  title: "",
  capacity: 0,
  feeCents: 0,
  opensAtMs: null,
  closesAtMs: null,
  held: 0,
  confirmed: 0,
};

/** The seats of one module. */
export const moduleSeats = defineDecisionModel({
  name: "module-seats",
  tag: "module",
  topic: moduleEvents,
  initial: unknownModule,
  on: {
    ModuleOffered: (seats, event): ModuleSeats => ({
      ...seats,
      offered: true,
      title: event.title,
      capacity: event.capacity,
      feeCents: event.feeCents,
      opensAtMs: event.opensAt,
      closesAtMs: event.closesAt,
    }),
    ModuleDetailsChanged: (seats, event): ModuleSeats => ({
      ...seats,
      title: event.title,
      feeCents: event.feeCents,
      opensAtMs: event.opensAt,
      closesAtMs: event.closesAt,
    }),
    ModuleCapacityChanged: (seats, event): ModuleSeats => ({
      ...seats,
      capacity: event.capacity,
    }),
    ModuleWithdrawn: (seats): ModuleSeats => ({ ...seats, offered: false }),
    ModuleRegistered: (seats): ModuleSeats => ({ ...seats, held: seats.held + 1 }),
    RegistrationCompleted: (seats): ModuleSeats => ({
      ...seats,
      held: seats.held - 1,
      confirmed: seats.confirmed + 1,
    }),
    RegistrationCancelled: (seats, event): ModuleSeats =>
      event.seat === "HELD"
        ? { ...seats, held: seats.held - 1 }
        : { ...seats, confirmed: seats.confirmed - 1 },
  },
});
