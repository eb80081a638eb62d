import {
  accept,
  type Decision,
  defineCommand,
  type Fact,
  fact,
} from "../../engine/decision/definition.ts";
import { ModuleWithdrawn, RegistrationCancelled } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { activeRegistrations, listActive, type Steps } from "./active-registrations.ts";
import { moduleOffer } from "./module-offer.ts";

export interface WithdrawModule {
  readonly moduleCode: string;
}

/** Takes a module off offer and cancels its active registrations, all in one decision. */
export const withdrawModule = defineCommand({
  name: "withdraw-module",
  reads: ({ moduleCode }: WithdrawModule) => ({
    offer: moduleOffer.of(moduleCode),
    registrations: activeRegistrations.of(moduleCode),
  }),
  decide: ({ moduleCode }, { offer, registrations }): Decision<undefined> => {
    if (offer === undefined) return accept([], undefined);
    const withdrawn = fact(moduleEvents, ModuleWithdrawn, { moduleCode });
    return accept([...cancellations(moduleCode, registrations), withdrawn], undefined);
  },
});

const cancellations = (moduleCode: string, registrations: Steps): Fact[] =>
  listActive(registrations).map((active) =>
    fact(moduleEvents, RegistrationCancelled, {
      ...active,
      moduleCode,
      reason: "MODULE_WITHDRAWN",
    }),
  );
