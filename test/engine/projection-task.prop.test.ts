import { assert, asyncProperty, array, integer, nat } from "fast-check";
import { describe, test } from "vitest";

import { foldAll } from "../../engine/testing/given.ts";
import {
  JsonCodec,
  Journal,
  ProjectionDriver,
  projectionChecks,
} from "../../engine/testing/index.ts";
import { expect } from "vitest";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import { board, counters, history, tally, withNotes } from "./seats.ts";

const numbers = Array.from({ length: 150 }, (_, at) => (at * 7919) % 1009);

describe("a projection of one topic", () => {
  const events = history(numbers);
  for (const check of projectionChecks({ projection: board, events })) test(check.name, check.run);
});

describe("a projection of two topics", () => {
  const events = withNotes(history(numbers));
  for (const check of projectionChecks({ projection: tally, events })) test(check.name, check.run);
});

test("rows equal an independent fold, whatever the history, borders and crashes", async () => {
  await assert(
    asyncProperty(array(nat(1_000), { maxLength: 120 }), integer(), async (numbers, seed) => {
      const events = history(numbers);
      const log = new MemoryRecordLog();
      const codec = new JsonCodec();
      const journal = new Journal({ log, codec });
      await journal.open(counters);
      const driver = new ProjectionDriver({ projection: board, log, codec, seed, crashOneIn: 12 });
      const half = events.length >> 1;
      await journal.append(counters, events.slice(0, half));
      await driver.catchUp();
      await journal.append(counters, events.slice(half));
      await driver.catchUp();
      expect(await driver.rows()).toEqual(foldAll(board, events));
      await driver.assertDigests();
    }),
    { numRuns: 60 },
  );
});
