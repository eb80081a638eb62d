import { integer, text } from "../../engine/columns.ts";
import { defineEnrichment } from "../../engine/enrichment.ts";
import { SeatOfferAnnounced } from "../../schemas/index.ts";
import { moduleEvents, studentNotices } from "../../schemas/topics.ts";

/**
 * `SeatOffered` is thin: it says which seat, not what the module is called or costs. Whoever writes to
 * students gets the fat event, and needs to ask nobody.
 */
export const offerNotices = defineEnrichment({
  name: "offer-notices",
  from: moduleEvents,
  key: "moduleCode",
  table: {
    columns: { title: text(), feeCents: integer() },
    on: {
      ModuleOffered: (_, { title, feeCents }) => ({ title, feeCents }),
      ModuleDetailsChanged: (_, { title, feeCents }) => ({ title, feeCents }),
    },
  },
  to: { topic: studentNotices, type: SeatOfferAnnounced },
  enrich: {
    // An offer is of a module that is on offer: its title is known before.
    SeatOffered: ({ studentId, registrationId, moduleCode, offerExpiresAt }, module) =>
      module && {
        studentId,
        registrationId,
        moduleCode,
        moduleTitle: module.title,
        feeCents: module.feeCents,
        offerExpiresAt,
      },
  },
});
