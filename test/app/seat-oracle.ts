import type { Register } from "../../processors/seats/index.ts";
import type { RecordedFact } from "./module-history.ts";

/** How a registration stands, as the oracle sees it. */
export interface Standing {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  status: "waiting" | "offered" | "held" | "completed" | "cancelled" | "expired" | "left";
  offerExpiresAt: number;
}

interface Offered {
  capacity: number;
  closesAt: number;
  opensAt: number;
}

type Fields = Readonly<Record<string, never>>;

const statusAfter: Readonly<Record<string, Standing["status"]>> = {
  SeatOffered: "offered",
  SeatOfferExpired: "expired",
  WaitlistLeft: "left",
  ModuleRegistered: "held",
  RegistrationCompleted: "completed",
  RegistrationCancelled: "cancelled",
};

/** What may come before an event of a registration that is known. */
const allowedBefore: Readonly<Record<string, readonly Standing["status"][]>> = {
  SeatOffered: ["waiting"],
  SeatOfferExpired: ["offered"],
  WaitlistLeft: ["waiting", "offered"],
  ModuleRegistered: ["offered"],
  RegistrationCompleted: ["held"],
  RegistrationCancelled: ["held", "completed"],
};

/**
 * The rules of seats and lines a second time, by plain lists that are searched: what the models,
 * the commands and the projections came to is compared with it. It throws at the first event that
 * breaks a rule.
 */
export class SeatOracle {
  readonly modules = new Map<string, Offered>();
  /** In the order of their first events. */
  readonly registrations: Standing[] = [];

  /** @throws Error naming the rule that the fact breaks. */
  apply({ type, event, recordedAtMs }: RecordedFact): void {
    const fields = event as Fields;
    const module = this.modules.get(fields["moduleCode"] as unknown as string);
    switch (type.name) {
      case "ModuleOffered":
        this.modules.set(fields["moduleCode"] as unknown as string, offeredBy(fields));
        return;
      case "ModuleCapacityChanged":
        if (module) module.capacity = fields["capacity"] as unknown as number;
        return;
      case "ModuleDetailsChanged":
        if (module) Object.assign(module, { ...offeredBy(fields), capacity: module.capacity });
        return;
      case "ModuleWithdrawn":
        check(this.ofModule(String(fields["moduleCode"]), "any").length === 0, "all have ended");
        this.modules.delete(fields["moduleCode"] as unknown as string);
        return;
      default:
        this.#applyToRegistration(type.name, event as never, recordedAtMs);
    }
  }

  /** What `register` should come to at a time: a refusal's code, or the status. */
  expected({ moduleCode, studentId, waitlist }: Register, nowMs: number, limit: number): string {
    const module = this.modules.get(moduleCode);
    if (module === undefined) return "module-unknown";
    if (nowMs < module.opensAt) return "registration-not-open";
    if (nowMs >= module.closesAt) return "registration-closed";
    const mine = this.registrations.filter((one) => one.studentId === studentId);
    const here = mine.find((one) => one.moduleCode === moduleCode && isOpen(one));
    if (here && hasSeat(here)) return "already-registered";
    if (here?.status === "waiting") return "waiting";
    if (here && nowMs >= here.offerExpiresAt) return "offer-expired";
    if (mine.filter(hasSeat).length >= limit) return "student-module-limit";
    if (here) return "seat";
    const promised = this.ofModule(moduleCode, "waiting").length;
    if (this.free(moduleCode) > promised) return "seat";
    return waitlist === true ? "waiting" : "module-full";
  }

  /** Seats that are neither taken nor on offer; below 0 where the capacity was lowered. */
  free(moduleCode: string): number {
    const taken = this.ofModule(moduleCode, "any").filter(({ status }) => status !== "waiting");
    return (this.modules.get(moduleCode)?.capacity ?? 0) - taken.length;
  }

  /** Those that have not ended, in the order of their first events. */
  ofModule(moduleCode: string, status: Standing["status"] | "any"): Standing[] {
    return this.registrations.filter(
      (one) =>
        one.moduleCode === moduleCode && isOpen(one) && (status === "any" || one.status === status),
    );
  }

  #applyToRegistration(
    name: string,
    event: Omit<Standing, "status"> & { readonly acceptedOffer?: boolean; offered?: boolean },
    nowMs: number,
  ): void {
    const { registrationId, moduleCode } = event;
    const known = this.registrations.find((one) => one.registrationId === registrationId);
    if (known === undefined) return this.#begin(name, event);
    check(allowedBefore[name]?.includes(known.status) ?? false, `${name} after ${known.status}`);
    check(known.moduleCode === moduleCode && known.studentId === event.studentId, "same seat");
    if (name === "SeatOffered") this.#checkOffer(known, nowMs);
    if (name === "SeatOfferExpired") check(nowMs >= known.offerExpiresAt, "expiry in time");
    if (name === "WaitlistLeft")
      check(event.offered === (known.status === "offered"), "as offered");
    if (name === "ModuleRegistered") {
      check(event.acceptedOffer === true, "one id for one seat");
      check(nowMs < known.offerExpiresAt, "the offer still runs");
    }
    known.status = statusAfter[name] ?? known.status;
    known.offerExpiresAt = event.offerExpiresAt ?? known.offerExpiresAt;
  }

  #begin(name: string, { registrationId, moduleCode, studentId }: Omit<Standing, "status">): void {
    check(name === "WaitlistJoined" || name === "ModuleRegistered", `${name} begins nothing`);
    const others = this.ofModule(moduleCode, "any").filter((one) => one.studentId === studentId);
    check(others.length === 0, "one registration for each student and module");
    const promised = this.ofModule(moduleCode, "waiting").length;
    const isFree = this.free(moduleCode) > promised;
    check(isFree === (name === "ModuleRegistered"), "the line comes first, and only where full");
    const status = name === "WaitlistJoined" ? "waiting" : "held";
    const offerExpiresAt = Infinity;
    this.registrations.push({ registrationId, moduleCode, studentId, status, offerExpiresAt });
  }

  #checkOffer(to: Standing, nowMs: number): void {
    const { moduleCode } = to;
    const module = this.modules.get(moduleCode);
    check(this.free(moduleCode) > 0, "a seat is free");
    check(this.ofModule(moduleCode, "waiting")[0] === to, "nobody is overtaken");
    check(module !== undefined && nowMs >= module.opensAt && nowMs < module.closesAt, "in time");
  }
}

const offeredBy = (fields: Readonly<Record<string, unknown>>): Offered => ({
  capacity: fields["capacity"] as number,
  opensAt: (fields["opensAt"] as number | null) ?? -Infinity,
  closesAt: (fields["closesAt"] as number | null) ?? Infinity,
});

export const hasSeat = ({ status }: Standing): boolean =>
  status === "held" || status === "completed";

export const isOpen = (one: Standing): boolean =>
  hasSeat(one) || one.status === "waiting" || one.status === "offered";

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`Broken: ${rule}.`);
}
