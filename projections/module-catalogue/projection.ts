import { integer, nullable, type RowOf, text, timestamp } from "../../engine/columns.ts";
import { defineTableProjection } from "../../engine/projection.ts";
import { catalogueModules } from "../../schemas/topics.ts";

const columns = {
  code: text(),
  title: text(),
  capacity: integer(),
  feeCents: integer(),
  opensAt: nullable(timestamp()),
  closesAt: nullable(timestamp()),
  updatedAt: timestamp(),
};

export type ModuleRow = RowOf<typeof columns>;

/** The modules as their table has them, straight from the changelog. */
export const moduleCatalogue = defineTableProjection({
  name: "module-catalogue",
  version: 1,
  from: catalogueModules,
  row: columns,
  key: (row) => row.code,
  on: {
    upsert: (_, row): ModuleRow => ({
      code: row.code,
      title: row.title,
      capacity: row.capacity,
      feeCents: row.fee_cents,
      opensAt: row.opens_at === null ? null : Date.parse(row.opens_at),
      closesAt: row.closes_at === null ? null : Date.parse(row.closes_at),
      updatedAt: Date.parse(row.updated_at),
    }),
    delete: () => undefined,
  },
  stores: ["postgres", "redis"],
});
