import type { EventCodec } from "../engine/ports/codec.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import type { SeatEvents } from "./_seat-events.ts";

export interface FillLog {
  readonly log: Pick<RecordLog, "ensureTopic" | "append">;
  readonly codec: EventCodec;
  readonly history: SeatEvents;
  readonly events: number;
  /** Of one append. */
  readonly perCall: number;
}

/** Appends events of the history; gives the seconds that the appends took, without the encoding. */
export async function fillLog(fill: FillLog): Promise<number> {
  const { log, codec, history, events, perCall } = fill;
  const { topic } = history;
  await log.ensureTopic({ name: topic.name, partitions: topic.partitions });
  await codec.prepare(topic);
  let seconds = 0;
  while (history.made < events) {
    const appends = history.take(Math.min(perCall, events - history.made));
    const began = performance.now();
    await log.append(appends.filter(({ records }) => records.length > 0));
    seconds += (performance.now() - began) / 1_000;
  }
  return seconds;
}
