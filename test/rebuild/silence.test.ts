import { expect, test } from "vitest";

import { application } from "../../bin/system/definitions.ts";
import { JsonCodec } from "../../engine/memory/json-codec.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { MemoryReadModelStore } from "../../engine/memory/read-model-store.ts";
import { MemoryRecordLog } from "../../engine/memory/record-log.ts";
import type { NewEvent } from "../../engine/ports/event-store.ts";
import type { RecordLog } from "../../engine/ports/record-log.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { type Cuts, placeOf } from "../../engine/replay/cuts.ts";
import { Replay } from "../../engine/replay/replay.ts";
import { readModelOf } from "../../engine/task/projection-store.ts";
import { ProjectionDriver } from "../../engine/testing/driver.ts";
import { Journal } from "../../engine/testing/journal.ts";
import { TableStage } from "../../engine/testing/table-stage.ts";
import { eventHistories, tableHistories } from "../app/histories.ts";
import { FastClock } from "./fast-clock.ts";

const { signal } = new AbortController();

/** A log with everything that can happen to what a projection reads. */
async function logFor(
  projection: AnyProjection,
): Promise<{ log: MemoryRecordLog; codec: JsonCodec }> {
  if (projection.kind === "changes") {
    const { from: topic, key } = projection;
    const stage = await TableStage.open({ topic, key });
    for (const change of tableHistories.get(topic.name) ?? []) await stage.append(change);
    return stage;
  }
  const made = { log: new MemoryRecordLog(), codec: new JsonCodec() };
  const journal = new Journal(made);
  for (const topic of projection.from) {
    await journal.open(topic);
    await journal.append(topic, eventHistories.get(topic.name) ?? []);
  }
  if (projection.notify) await journal.open(projection.notify.to);
  return made;
}

async function ends(log: RecordLog): Promise<Cuts> {
  const cuts = new Map();
  for (const { name: topic } of await log.topics()) {
    for (const { partition, end } of await log.bounds(topic)) {
      cuts.set(placeOf({ topic, partition }), end);
    }
  }
  return cuts;
}

test.each(application.projections.map((projection) => [projection.name, projection] as const))(
  "a replay of %s tells nobody, where live work tells of every change",
  async (_, projection) => {
    const { log, codec } = await logFor(projection);
    const live: NewEvent[] = [];
    const replayed: NewEvent[] = [];
    const store = new MemoryReadModelStore({ onNotices: (told) => void live.push(...told) });
    await new ProjectionDriver({ projection, log, codec, store, crashOneIn: 0 }).catchUp();
    expect(live.length > 0).toBe(projection.notify !== undefined);
    // It serves, so that nothing but the replay itself keeps notices back.
    const other = new MemoryReadModelStore({ onNotices: (told) => void replayed.push(...told) });
    const generation = await other.open(readModelOf(projection));
    const shared = { projection, generation, store: other, log, codec, consumer: "replay" };
    const clock = new FastClock();
    await using replay = await Replay.begin({ ...shared, clock, random: new SeededRandom() });
    await replay.to(await ends(log), { signal });
    expect(replay.records).toBeGreaterThan(0);
    expect(replayed).toEqual([]);
    expect(await other.digests(generation)).toEqual(await store.digests(generation));
  },
);
