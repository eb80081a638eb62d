import { decodePositionToken, type LanePosition } from "../position-token.ts";
import type { AnyProjection } from "../projection.ts";
import type { ReadEvent } from "./read-events.ts";
import type { TracedRow } from "./rows.ts";

/** A notice as the outbox keeps it, until its topic's retention. */
export interface StoredNotice {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly partition: number;
  readonly sequence: bigint;
  readonly key: string;
  readonly recordedAtMs: number;
}

export interface NoticeQuery {
  readonly topic: string;
  /** Recorded in [fromMs, untilMs). */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly limit: number;
}

export interface NoticeSource {
  /** In order of being recorded. */
  notices(query: NoticeQuery): Promise<readonly StoredNotice[]>;
}

/** A notice that told of an event's row, as the event had left it or later. */
export interface TracedNotice extends StoredNotice {
  readonly projection: string;
  readonly row: string;
}

/** So long after an event its notice is looked for, and so many are looked at for it. */
const windowMs = 60_000;
const lookedAtMax = 5_000;

/** Finds the notice that first told of what an event did to a row: notices are one for each flush. */
export class NoticeTracer {
  readonly #source: NoticeSource;
  readonly #topics: ReadonlyMap<string, string>;

  constructor(source: NoticeSource, projections: readonly AnyProjection[]) {
    this.#source = source;
    this.#topics = new Map(
      projections.flatMap(({ name, notify }) => (notify ? [[name, notify.to.name] as const] : [])),
    );
  }

  async noticesOf(event: ReadEvent, rows: readonly TracedRow[]): Promise<TracedNotice[]> {
    const told: TracedNotice[] = [];
    for (const { projection, key } of rows) {
      const topic = this.#topics.get(projection);
      const notice = topic && (await this.#first(event, { topic, projection, key }));
      if (notice) told.push({ ...notice, projection, row: key });
    }
    return told;
  }

  async #first(
    { stored }: ReadEvent,
    of: { readonly topic: string; readonly projection: string; readonly key: string },
  ): Promise<StoredNotice | undefined> {
    const fromMs = stored.recordedAtMs;
    const ask = { topic: of.topic, fromMs, untilMs: fromMs + windowMs, limit: lookedAtMax };
    const found = await this.#source.notices(ask);
    return found.find(({ id }) => {
      const source = noticeSourceOf(id);
      if (source?.projection !== of.projection || source.row !== of.key) return false;
      return source.lanes.some(
        ({ topic, partition, sequence }) =>
          topic === stored.topic && partition === stored.partition && sequence >= stored.sequence,
      );
    });
  }
}

interface SourceOfNotice {
  readonly projection: string;
  readonly row: string;
  readonly lanes: readonly LanePosition[];
}

/** What a notice's id says of it: `<projection>:g<generation>:<row's key>:<position>`. */
export function noticeSourceOf(id: string): SourceOfNotice | undefined {
  const found = /^([a-z0-9-]+):g\d+:(.*):([A-Za-z0-9_-]+)$/s.exec(id);
  if (found === null) return undefined;
  const [, projection = "", row = "", token = ""] = found;
  return { projection, row, lanes: lanesOf(token) };
}

function lanesOf(token: string): readonly LanePosition[] {
  try {
    return decodePositionToken(token).lanes;
  } catch {
    return [];
  }
}
