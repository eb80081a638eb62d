import { randomUUID } from "node:crypto";

import type { EventCodec } from "../engine/ports/codec.ts";
import type { Generation, ReadModelStore } from "../engine/ports/read-model-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { type Cuts, placeOf } from "../engine/replay/cuts.ts";
import { Replay, type ReplayOptions } from "../engine/replay/replay.ts";
import type { EventTopic } from "../engine/topic.ts";
import { clock } from "./_catch-up.ts";

export interface ReplayToEnd {
  readonly log: RecordLog;
  readonly codec: EventCodec;
  readonly topic: EventTopic;
  readonly projection: ReplayOptions["projection"];
  readonly generation: Generation;
  readonly store: ReadModelStore;
}

/** Fills a generation up to the log's end as a rebuild does: read, folded, durable. */
export async function replayToEnd({ topic, ...given }: ReplayToEnd): Promise<void> {
  const random = { next: () => Math.random(), id: () => randomUUID() };
  await using replay = await Replay.begin({ ...given, clock, random, consumer: "rebuild" });
  const { signal } = new AbortController();
  await replay.to(await endsOf(given.log, topic), { signal });
}

async function endsOf(log: RecordLog, { name: topic }: EventTopic): Promise<Cuts> {
  const bounds = await log.bounds(topic);
  return new Map(bounds.map(({ partition, end }) => [placeOf({ topic, partition }), end]));
}
