import {
  accept,
  type Decision,
  defineCommand,
  type Fact,
  fact,
} from "../../engine/decision/definition.ts";
import { ModuleCapacityChanged, ModuleDetailsChanged, ModuleOffered } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { detailsOf, moduleOffer, type OfferedModule, sameDetails } from "./module-offer.ts";

export interface OfferModule extends OfferedModule {
  readonly moduleCode: string;
}

/**
 * Brings a module to what its row says: offers it, or records what differs. It looks at the
 * module's own events, so a row that is read again changes nothing.
 */
export const offerModule = defineCommand({
  name: "offer-module",
  reads: (input: OfferModule) => ({ offer: moduleOffer.of(input.moduleCode) }),
  decide: (input, { offer }): Decision<undefined> =>
    accept(offer === undefined ? [offered(input)] : differences(input, offer), undefined),
});

function offered(input: OfferModule): Fact {
  const { moduleCode, capacity } = input;
  return fact(moduleEvents, ModuleOffered, { moduleCode, capacity, ...detailsOf(input) });
}

function differences(input: OfferModule, offer: OfferedModule): Fact[] {
  const { moduleCode, capacity } = input;
  const facts: Fact[] = [];
  if (!sameDetails(input, offer)) {
    facts.push(fact(moduleEvents, ModuleDetailsChanged, { moduleCode, ...detailsOf(input) }));
  }
  if (capacity !== offer.capacity) {
    facts.push(fact(moduleEvents, ModuleCapacityChanged, { moduleCode, capacity }));
  }
  return facts;
}
