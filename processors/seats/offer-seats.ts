import { defineDeadline, type DeadlineType } from "../../engine/deadline.ts";
import { accept, type Decision, defineCommand, fact } from "../../engine/decision/definition.ts";
import { SeatOffered } from "../../schemas/index.ts";
import { moduleEvents } from "../../schemas/topics.ts";
import { freeSeats, moduleSeats, type ModuleSeats } from "./module-seats.ts";
import { seatOffer } from "./seat-offer.ts";
import { firstInLine, type Waiting, waitingLine } from "./waiting-line.ts";

export interface OfferSeats {
  readonly moduleCode: string;
}

export interface OfferedSeats {
  /** Registrations that a seat was offered to, in the order of the line. */
  readonly offered: readonly string[];
}

export interface OfferOptions {
  /** How long a seat is held for a student in line. */
  readonly offerMs: number;
}

export const defaultOfferMs = 15 * 60_000;

const nothing = accept<OfferedSeats>([], { offered: [] });

/**
 * The command `offer-seats`, and the deadline that gives it when registration opens. It offers the
 * free seats of a module to the first in line, as many as there are of both, each until its
 * deadline `seat-offer`. With nothing to offer it accepts without facts, so it may be given at any
 * time and any number of times. No seat is offered outside the window, when none can be taken.
 */
export function seatOffersWith({ offerMs }: OfferOptions) {
  const offerSeats = defineCommand({
    name: "offer-seats",
    reads: ({ moduleCode }: OfferSeats) => ({ module: moduleSeats.of(moduleCode) }),
    readsMore: (
      { moduleCode },
      { module },
    ): { readonly line?: ReturnType<typeof waitingLine.of> } =>
      seatsToOffer(module) > 0 ? { line: waitingLine.of(moduleCode) } : {},
    decide: ({ moduleCode }, { module, line }, context): Decision<OfferedSeats> => {
      if (line === undefined) return nothing;
      const { opensAtMs, closesAtMs } = module;
      if (closesAtMs !== null && context.reached(closesAtMs)) return nothing;
      if (opensAtMs !== null && !context.reached(opensAtMs)) {
        return accept([], { offered: [] }, { deadlines: [lineOpens.at(moduleCode, opensAtMs)] });
      }
      const expiresAtMs = Math.min(context.inMs(offerMs), closesAtMs ?? Infinity);
      return offers(moduleCode, firstInLine(line, seatsToOffer(module)), expiresAtMs);
    },
  });
  const lineOpens: DeadlineType = defineDeadline({
    name: "line-opens",
    tags: (moduleCode) => [`module:${moduleCode}`],
    passed: ({ key }) => offerSeats({ moduleCode: key }),
  });
  return { offerSeats, lineOpens };
}

export const { offerSeats, lineOpens } = seatOffersWith({ offerMs: defaultOfferMs });

const seatsToOffer = (module: ModuleSeats): number =>
  module.offered ? Math.min(freeSeats(module), module.waiting) : 0;

function offers(
  moduleCode: string,
  first: readonly Waiting[],
  offerExpiresAt: number,
): Decision<OfferedSeats> {
  return accept(
    first.map((waiting) =>
      fact(moduleEvents, SeatOffered, { ...waiting, moduleCode, offerExpiresAt }),
    ),
    { offered: first.map(({ registrationId }) => registrationId) },
    { deadlines: first.map(({ registrationId }) => seatOffer.at(registrationId, offerExpiresAt)) },
  );
}
