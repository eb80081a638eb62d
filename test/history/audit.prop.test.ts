import * as fc from "fast-check";
import { expect, test } from "vitest";

import { auditKey, auditWhole, type DriftedRow } from "../../engine/history/audit.ts";
import { DigestDeltas } from "../../engine/digest.ts";
import { copyRow } from "../../engine/stored-row.ts";
import type { Generation } from "../../engine/ports/read-model-store.ts";
import { storedColumns } from "../../engine/task/pipeline.ts";
import type { ErasedEventProjection } from "../../engine/projection.ts";
import { history, withNotes } from "../engine/seats.ts";
import { PastWorld, projections } from "./past-world.ts";

/** What somebody does to a stored read model by hand. */
type Plant = "none" | "changed" | "added" | "deleted" | "digest";

const plants = fc.constantFrom<Plant>("none", "changed", "added", "deleted", "digest");
const numbers = fc.array(fc.nat(10_000), { minLength: 30, maxLength: 60 });

/** Rows are written past the log, as a hand in the database would; `digest` changes a digest alone. */
async function planted(
  world: PastWorld,
  of: { readonly projection: ErasedEventProjection; readonly generation: Generation },
  plant: Plant,
): Promise<string | undefined> {
  const { projection, generation } = of;
  const rows = new Map<string, { row: object; partition: number }>();
  await world.comparisons.within([generation], async ([view]) => {
    for await (const page of view?.rows() ?? []) for (const one of page) rows.set(one.key, one);
  });
  const [key] = rows.keys();
  if (key === undefined || plant === "none") return undefined;
  const { row, partition } = rows.get(key) as { row: Record<string, unknown>; partition: number };
  const nothing = { generation, advances: [], digests: [], notices: [], deadLetters: [] };
  const number = Object.keys(projection.row).find(
    (name) => projection.row[name]?.kind === "integer",
  );
  const wrong = { ...row, [number as string]: 987_654 };
  if (plant === "digest") {
    const deltas = new DigestDeltas(storedColumns(projection));
    deltas.change(key, row, wrong);
    await world.store.flush({ ...nothing, digests: deltas.take(), rows: [] });
    return undefined;
  }
  if (plant === "changed")
    await world.store.flush({ ...nothing, rows: [{ key, partition, row: wrong }] });
  if (plant === "deleted") {
    await world.store.flush({ ...nothing, rows: [{ key, partition, row: undefined }] });
  }
  if (plant !== "added") return key;
  const added = copyRow(projection.row, row);
  await world.store.flush({ ...nothing, rows: [{ key: "planted", partition, row: added }] });
  return "planted";
}

test("a whole audit finds every planted change, by key and field, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, plants, fc.nat(projections.length - 1), async (story, plant, at) => {
      const projection = projections[at] as ErasedEventProjection;
      const world = await PastWorld.open();
      await world.happen(...withNotes(history(story)));
      await world.publish();
      const generation = await world.follow(projection);
      const key = await planted(world, { projection, generation }, plant);
      const found: DriftedRow[] = [];
      const source = { ...world.source, comparisons: world.comparisons };
      const ask = { projection, generation, from: "beginning", rowsMax: 100 } as const;
      const onDrift = (row: DriftedRow): void => void found.push(row);
      const verdict = await auditWhole(source, { ...ask, onDrift });
      expect(found.map((row) => row.key)).toEqual(key === undefined ? [] : [key]);
      const { missing, extra, changed, digestsDiffering } = verdict;
      expect({ missing, extra, changed }).toEqual({
        missing: Number(plant === "deleted" && key !== undefined),
        extra: Number(plant === "added" && key !== undefined),
        changed: Number(plant === "changed" && key !== undefined),
      });
      const isTouched = plant !== "none" && verdict.historyRows > 0;
      expect(digestsDiffering).toHaveLength(Number(isTouched));
      using past = world.history();
      for (const one of ["a", "b", "row of a", "planted", "nobody"]) {
        const ports = { comparisons: world.comparisons, rows: past.rows };
        const drift = await auditKey(ports, { projection, generation, key: one });
        expect(drift === undefined).toBe(one !== key);
      }
    }),
    { numRuns: 60 },
  );
});

test("an audit of rows that are behind the log compares them where they stand", async () => {
  const projection = projections[0] as ErasedEventProjection;
  const world = await PastWorld.open();
  await world.happen(...history([8, 16, 17, 24, 33]));
  await world.publish();
  const generation = await world.follow(projection);
  await world.happen(...history([32, 41, 48, 57]));
  await world.publish();
  const onDrift = (row: DriftedRow): void => expect.unreachable(row.key);
  const source = { ...world.source, comparisons: world.comparisons };
  const ask = { projection, generation, from: "beginning", rowsMax: 100 } as const;
  await auditWhole(source, { ...ask, onDrift });
});
