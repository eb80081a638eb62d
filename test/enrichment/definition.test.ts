import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { defineEnrichment } from "../../engine/enrichment.ts";
import { SeatOfferAnnounced } from "../../schemas/index.ts";
import { moduleEvents, studentNotices } from "../../schemas/topics.ts";

const to = { topic: studentNotices, type: SeatOfferAnnounced };
const base = { name: "fat", from: moduleEvents, key: "moduleCode", to } as const;

test("an event that its topics don't have is refused by name", () => {
  const table = { columns: { title: text() }, on: {} };
  const enrich = { SeatSold: () => undefined };
  // @ts-expect-error There is no such event.
  const definition = () => defineEnrichment({ ...base, table, enrich });
  expect(definition).toThrow("fat: its topics have no SeatSold.");
});

test("a row or a fat event that doesn't fit is a compile error", () => {
  const columns = { seats: integer() };
  const fold = { ModuleOffered: () => ({ seats: "many" }) } as const;
  // @ts-expect-error The column is a number.
  expect(defineEnrichment({ ...base, table: { columns, on: fold }, enrich: {} }).name).toBe("fat");
  const enrich = { SeatOffered: () => ({ studentId: "ada" }) } as const;
  const table = { columns, on: {} };
  // @ts-expect-error Most of the announcement is missing.
  expect(defineEnrichment({ ...base, table, enrich }).name).toBe("fat");
});

test("what neither changes the table nor is enriched is not read", () => {
  const table = {
    columns: { title: text() },
    on: { ModuleOffered: (_: unknown, { title }: { title: string }) => ({ title }) },
  };
  const { on } = defineEnrichment({ ...base, table, enrich: {} });
  const read = Object.entries(on).filter(([, reaction]) => reaction !== "ignore");
  expect(read.map(([type]) => type)).toEqual(["ModuleOffered"]);
});
