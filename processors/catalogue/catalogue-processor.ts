import { defineTableProcessor } from "../../engine/processor.ts";
import { catalogueModules } from "../../schemas/topics.ts";
import { offerModule } from "./offer-module.ts";
import { withdrawModule } from "./withdraw-module.ts";

/** Turns the rows of `catalogue.modules` into the events of modules. It keeps no state of its own. */
export const catalogue = defineTableProcessor({
  name: "catalogue",
  from: catalogueModules,
  key: (row) => row.code,
  on: {
    upsert: (_, row, emit) => {
      emit(
        offerModule({
          moduleCode: row.code,
          title: row.title,
          capacity: row.capacity,
          feeCents: row.fee_cents,
          opensAt: milliseconds(row.opens_at),
          closesAt: milliseconds(row.closes_at),
        }),
      );
    },
    delete: (_, row, emit) => {
      emit(withdrawModule({ moduleCode: row.code }));
    },
  },
});

/** The capture writes a timestamptz as ISO 8601 text with microseconds; events keep milliseconds. */
const milliseconds = (time: string | null): number | null =>
  time === null ? null : Date.parse(time);
