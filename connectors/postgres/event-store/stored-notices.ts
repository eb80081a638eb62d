import type { Pool } from "pg";

import type { NoticeQuery, NoticeSource, StoredNotice } from "../../../engine/tracing/notices.ts";

interface NoticeRow {
  readonly ce_id: string;
  readonly ce_type: string;
  readonly topic: string;
  readonly partition: number;
  readonly sequence: bigint;
  readonly key: string;
  readonly ce_time: string;
}

/** Notices as their outbox keeps them. */
export class PostgresNotices implements NoticeSource {
  readonly #pool: Pool;

  constructor(options: { readonly pool: Pool }) {
    this.#pool = options.pool;
  }

  async notices({ topic, fromMs, untilMs, limit }: NoticeQuery): Promise<readonly StoredNotice[]> {
    const { rows } = await this.#pool.query<NoticeRow>(
      `select ce_id, ce_type, topic, partition, sequence, key, ce_time from refold.notices
       where topic = $1 and recorded_at >= ${timeOf("$2")} and recorded_at < ${timeOf("$3")}
       order by recorded_at, position limit $4`,
      [topic, Math.floor(fromMs), Math.ceil(untilMs), limit],
    );
    return rows.map(toNotice);
  }
}

const timeOf = (parameter: string): string =>
  `timestamp 'epoch' + ${parameter}::bigint * interval '1 millisecond'`;

const toNotice = (row: NoticeRow): StoredNotice => ({
  id: row.ce_id,
  type: row.ce_type,
  topic: row.topic,
  partition: row.partition,
  sequence: row.sequence,
  key: row.key,
  recordedAtMs: Date.parse(row.ce_time),
});
