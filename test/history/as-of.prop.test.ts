import * as fc from "fast-check";
import { expect, test } from "vitest";

import { snapshotNow } from "./snapshot-now.ts";
import { history, withNotes } from "../engine/seats.ts";
import { PastWorld, projections } from "./past-world.ts";

const numbers = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 60 });
/** How long after the event before each one happens; often in the same millisecond. */
const pauses = fc.array(fc.constantFrom(0, 0, 1, 1_000), { minLength: 60, maxLength: 60 });

interface Story {
  readonly numbers: readonly number[];
  readonly pauses: readonly number[];
  /** After this many events, snapshots are taken and audited; past the end: never. */
  readonly snapshotAfter: number;
}

const stories = fc.record({ numbers, pauses, snapshotAfter: fc.nat(80) });

/** Around an event's own time, where one millisecond decides. */
const times = fc.record({ event: fc.nat(60), offMs: fc.constantFrom(-1, 0, 0, 1, 500) });

const timeOf = (world: PastWorld, { event, offMs }: { event: number; offMs: number }): number =>
  (world.events[event % world.events.length]?.recordedAtMs ?? 0) + offMs;

async function told(story: Story): Promise<PastWorld> {
  const world = await PastWorld.open();
  for (const [at, event] of withNotes(history(story.numbers)).entries()) {
    world.clock.advance(story.pauses[at] ?? 0);
    await world.happen(event);
    if (at === story.snapshotAfter) await snapshotNow(world);
  }
  await world.publish();
  world.clock.advance(60_000);
  return world;
}

test("every row as of any time equals the independent fold of what was recorded until then", async () => {
  await fc.assert(
    fc.asyncProperty(stories, times, async (story, time) => {
      const world = await told(story);
      using past = world.history();
      const atMs = timeOf(world, time);
      for (const projection of projections) {
        const expected = world.rowsAt(projection, atMs);
        const keys = new Set([...Object.keys(expected), "a", "row of b", "nobody"]);
        for (const key of keys) {
          const { row } = await past.rowAsOf(projection.name, key, atMs);
          expect({ key, row }).toEqual({ key, row: expected[key] });
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("a whole read model as of any time equals the independent fold of what was recorded until then", async () => {
  await fc.assert(
    fc.asyncProperty(stories, times, async (story, time) => {
      const world = await told(story);
      using past = world.history();
      const atMs = timeOf(world, time);
      for (const projection of projections) {
        const { result } = await past.reader(atMs).find(projection.name, { limit: 1_000 });
        const rows = Object.fromEntries(result.rows.map(({ key, row }) => [key, row]));
        expect(rows).toEqual(world.rowsAt(projection, atMs));
      }
    }),
    { numRuns: 40 },
  );
});
