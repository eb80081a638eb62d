import { describe, expect, it } from "vitest";

import type { Drift, Drifts } from "../../engine/ports/drifts.ts";
import type { ReadModel, ReadModelStore } from "../../engine/ports/read-model-store.ts";
import { integer } from "../../engine/columns.ts";

/** Drift with room for three keys of a generation, and the store whose generations it is of. */
export interface DriftSubject extends AsyncDisposable {
  readonly drifts: Drifts;
  readonly store: ReadModelStore;
}

const model: ReadModel = {
  projection: "seats",
  version: 1,
  columns: { held: integer() },
  indexes: [],
  topics: [{ name: "events", partitions: 1 }],
};

const found = (key: string, change: Partial<Drift> = {}): Omit<Drift, "foundAtMs"> => ({
  projection: "seats",
  generation: 1,
  key,
  kind: "changed",
  fields: ["held"],
  ...change,
});

/** What every adapter of `Drifts` keeps. */
export function driftsConformance(adapter: string, make: () => Promise<DriftSubject>): void {
  describe(`drifts, ${adapter}`, () => {
    it("lists what was found, in order of key, the latest finding of each", async () => {
      await using subject = await make();
      const { drifts, store } = subject;
      await store.open(model);
      await drifts.note(found("b"));
      await drifts.note(found("ä", { kind: "extra", fields: [] }));
      await drifts.note(found("b", { kind: "missing", fields: [] }));
      expect(await drifts.list()).toEqual([
        { ...found("b", { kind: "missing", fields: [] }), foundAtMs: expect.any(Number) },
        { ...found("ä", { kind: "extra", fields: [] }), foundAtMs: expect.any(Number) },
      ]);
      expect(await drifts.list("another")).toEqual([]);
      expect(await drifts.list("seats")).toHaveLength(2);
    });

    it("forgets a key that is sound again", async () => {
      await using subject = await make();
      const { drifts, store } = subject;
      const generation = await store.open(model);
      await drifts.note(found("b"));
      await drifts.clear(generation, "b");
      await drifts.clear(generation, "b");
      expect(await drifts.list()).toEqual([]);
    });

    it("keeps so many keys of a generation, and goes on replacing those", async () => {
      await using subject = await make();
      const { drifts, store } = subject;
      await store.open(model);
      for (const key of ["a", "b", "c", "d"]) await drifts.note(found(key));
      await drifts.note(found("c", { fields: ["held", "confirmed"] }));
      const list = await drifts.list();
      expect(list.map(({ key }) => key)).toEqual(["a", "b", "c"]);
      expect(list[2]?.fields).toEqual(["held", "confirmed"]);
    });
  });
}
