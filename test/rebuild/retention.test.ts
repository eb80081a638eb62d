import { expect, test } from "vitest";

import { integer, text } from "../../engine/columns.ts";
import { offset } from "../../engine/position.ts";
import { defineProjection, type ErasedEventProjection } from "../../engine/projection.ts";
import { foldAll } from "../../engine/testing/given.ts";
import { counters, history } from "../engine/seats.ts";
import { RebuildStage } from "./stage.ts";

const numbers = Array.from({ length: 150 }, (_, at) => (at * 7919) % 1009);

/** Its row is what the last event says. */
const latest = defineProjection({
  name: "latest",
  version: 1,
  from: counters,
  overwrites: true,
  row: { code: text(), size: integer() },
  key: "code",
  on: {
    Opened: (_, e) => ({ code: e.code, size: e.size }),
    Moved: (_, e) => ({ code: e.code, size: e.by }),
    Closed: () => undefined,
  },
}) as ErasedEventProjection;

/** Retention takes every record of some partitions. */
async function emptied(stage: RebuildStage, partitions: readonly number[]): Promise<void> {
  const bounds = await stage.log.bounds("counters");
  const ends = bounds.filter(({ partition }) => partitions.includes(partition));
  await stage.log.deleteBefore(
    "counters",
    new Map(ends.map(({ partition, end }) => [partition, offset(end)])),
  );
}

test("what serves is refused a shadow when it stopped before what retention has left, and says where", async () => {
  await using stage = await new RebuildStage().open();
  await stage.append(history(numbers));
  await stage.work([latest]);
  await stage.caughtUp(latest);
  await stage.stopWorkers();
  const stoppedAt = (await stage.log.bounds("counters"))[2]?.end;
  await stage.append(history(numbers));
  await emptied(stage, [2]);
  await stage.work([latest]);
  const record = await stage.conduct(latest, await stage.start(latest, { accept: true }));
  expect(record).toMatchObject({ state: "failed", failure: { code: "history-gone" } });
  expect(record.failure?.message).toContain(`counters/2 at offset ${stoppedAt}, not `);
  expect((await stage.serving(latest)).generation).toBe(1);
});

test.each([[[2]], [[0, 1, 2, 3]]])(
  "a shadow is level with what serves where retention has taken every record (partitions %j)",
  async (partitions) => {
    await using stage = await new RebuildStage().open();
    await stage.append(history(numbers));
    await stage.work([latest]);
    await stage.caughtUp(latest);
    await emptied(stage, partitions);
    const id = await stage.start(latest, { accept: true });
    const record = await stage.conduct(latest, id);
    expect(record).toMatchObject({ state: "swapped", failure: undefined });
    expect(record.plan?.start).toEqual({ kind: "cold" });
    // All keys are set again, so that nothing is missing any more.
    const some = history(numbers.filter((number) => Math.floor(number / 8) % 8 > 1));
    const all = history(Array.from({ length: 8 }, (_, code) => code + 16));
    await stage.append([...some, ...all]);
    await stage.caughtUp(latest);
    const rows = await stage.rowsOf(await stage.serving(latest));
    expect(rows).toEqual(foldAll(latest, stage.events));
    const { stored, counted } = await stage.digests(await stage.serving(latest));
    expect(stored).toEqual(counted);
  },
);
