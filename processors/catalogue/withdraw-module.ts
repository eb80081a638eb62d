import {
  accept,
  type Decision,
  defineCommand,
  type Fact,
  fact,
} from "../../engine/decision/definition.ts";
import { ModuleWithdrawn, RegistrationCancelled, WaitlistLeft } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { seatOffer } from "../seats/index.ts";
import {
  type ActiveRegistration,
  activeRegistrations,
  listActive,
} from "./active-registrations.ts";
import { moduleOffer } from "./module-offer.ts";

export interface WithdrawModule {
  readonly moduleCode: string;
}

/**
 * Takes a module off offer, cancels its active registrations and clears its line, all in one
 * decision.
 */
export const withdrawModule = defineCommand({
  name: "withdraw-module",
  reads: ({ moduleCode }: WithdrawModule) => ({
    offer: moduleOffer.of(moduleCode),
    registrations: activeRegistrations.of(moduleCode),
  }),
  decide: ({ moduleCode }, { offer, registrations }): Decision<undefined> => {
    if (offer === undefined) return accept([], undefined);
    const withdrawn = fact(moduleEvents, ModuleWithdrawn, { moduleCode });
    const active = listActive(registrations);
    const facts = [...active.map((one) => endOf(moduleCode, one)), withdrawn];
    const deadlines = active
      .filter(({ seat }) => seat === "OFFERED")
      .map(({ registrationId }) => seatOffer.cancel(registrationId));
    return accept(facts, undefined, deadlines.length === 0 ? undefined : { deadlines });
  },
});

function endOf(moduleCode: string, { seat, ...active }: ActiveRegistration): Fact {
  switch (seat) {
    case "HELD":
    case "CONFIRMED":
      return fact(moduleEvents, RegistrationCancelled, {
        ...active,
        moduleCode,
        seat,
        reason: "MODULE_WITHDRAWN",
      });
    case "WAITING":
    case "OFFERED":
      return fact(moduleEvents, WaitlistLeft, {
        ...active,
        moduleCode,
        offered: seat === "OFFERED",
      });
    default:
      return seat satisfies never;
  }
}
