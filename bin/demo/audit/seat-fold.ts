import type { LoggedEvent } from "./log-events.ts";

export interface FoldedModule {
  capacity: number;
  offered: boolean;
  readonly held: Set<string>;
  readonly confirmed: Set<string>;
  /** The most seats that were taken at once. */
  most: number;
}

export interface FoldedRegistration {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  readonly feeCents: number;
  status: "held" | "completed" | "cancelled";
}

/**
 * What the events of seats mean, told a second time: no projection or decision takes part. Every
 * broken rule is a fault, with the place in the log at which it was broken.
 */
export class SeatFold {
  readonly modules = new Map<string, FoldedModule>();
  readonly registrations = new Map<string, FoldedRegistration>();
  /** Seats that were given although none was free, or twice. */
  readonly oversold: string[] = [];
  /** Events that can't follow what was before them. */
  readonly impossible: string[] = [];
  events = 0;
  readonly #ids = new Set<string>();
  readonly #sequences = new Map<number, number>();
  /** The registration that a student has in a module. */
  readonly #seats = new Map<string, string>();

  take(event: LoggedEvent): void {
    this.events += 1;
    this.#place(event);
    const code = String(event.fields["moduleCode"]);
    const module = this.modules.get(code) ?? newModule();
    this.modules.set(code, module);
    this.#apply(event, module);
  }

  /** In each partition every event once, with none left out between two. */
  #place(event: LoggedEvent): void {
    const { partition, sequence, id } = event;
    const last = this.#sequences.get(partition) ?? 0;
    if (sequence !== last + 1) this.impossible.push(`${placeOf(event)} follows number ${last}`);
    if (this.#ids.has(id)) this.impossible.push(`${placeOf(event)} is there twice`);
    this.#ids.add(id);
    this.#sequences.set(partition, sequence);
  }

  #apply(event: LoggedEvent, module: FoldedModule): void {
    switch (event.type) {
      case "ModuleOffered":
        module.offered = true;
        module.capacity = Number(event.fields["capacity"]);
        return;
      case "ModuleCapacityChanged":
        module.capacity = Number(event.fields["capacity"]);
        return;
      case "ModuleDetailsChanged":
        return;
      case "ModuleWithdrawn":
        module.offered = false;
        return;
      case "ModuleRegistered":
        return this.#registered(event, module);
      case "RegistrationCompleted":
        return this.#ended(event, module, "completed");
      case "RegistrationCancelled":
        return this.#ended(event, module, "cancelled");
      default:
        this.impossible.push(`${placeOf(event)} is of a type that this account doesn't know`);
    }
  }

  #registered(event: LoggedEvent, module: FoldedModule): void {
    const { registrationId, moduleCode, studentId } = idsOf(event);
    const seat = `${studentId} ${moduleCode}`;
    if (!module.offered) this.impossible.push(`${placeOf(event)}: ${moduleCode} isn't on offer`);
    if (module.held.size + module.confirmed.size >= module.capacity) {
      this.oversold.push(
        `${placeOf(event)}: ${moduleCode} has ${module.capacity} seats, all taken`,
      );
    }
    if (this.#seats.has(seat)) {
      this.oversold.push(`${placeOf(event)}: ${studentId} has a seat in ${moduleCode} already`);
    }
    if (this.registrations.has(registrationId)) {
      this.impossible.push(`${placeOf(event)}: ${registrationId} was given before`);
    }
    this.registrations.set(registrationId, {
      registrationId,
      moduleCode,
      studentId,
      feeCents: Number(event.fields["feeCents"]),
      status: "held",
    });
    this.#seats.set(seat, registrationId);
    module.held.add(registrationId);
    module.most = Math.max(module.most, module.held.size + module.confirmed.size);
  }

  #ended(event: LoggedEvent, module: FoldedModule, status: "completed" | "cancelled"): void {
    const { registrationId, moduleCode, studentId } = idsOf(event);
    const registration = this.registrations.get(registrationId);
    const held = module.held.delete(registrationId);
    const confirmed = status === "cancelled" && module.confirmed.delete(registrationId);
    if (registration === undefined || !(held || confirmed)) {
      this.impossible.push(`${placeOf(event)}: ${registrationId} has no seat to end`);
      return;
    }
    registration.status = status;
    if (status === "completed") module.confirmed.add(registrationId);
    else this.#seats.delete(`${studentId} ${moduleCode}`);
  }
}

function idsOf({ fields }: LoggedEvent) {
  return {
    registrationId: String(fields["registrationId"]),
    moduleCode: String(fields["moduleCode"]),
    studentId: String(fields["studentId"]),
  };
}

/** Where in the log. */
export const placeOf = ({ topic, partition, offset, type }: LoggedEvent): string =>
  `${topic} ${partition}@${offset} ${type}`;

const newModule = (): FoldedModule => ({
  capacity: 0,
  offered: false,
  held: new Set(),
  confirmed: new Set(),
  most: 0,
});
