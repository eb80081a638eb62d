/** An outbox of the columns that the event store's tables have. */
export const createOutbox = `
  create table public.outbox (
    position bigint primary key,
    topic text not null,
    partition int not null,
    sequence bigint not null,
    key text not null,
    recorded_at timestamp(3) not null,
    value bytea not null,
    ce_sequence text not null,
    ce_incarnation text not null default 'life',
    ce_id text not null,
    ce_type text not null default 'refold.test.Happened',
    ce_source text not null default '/refold/test',
    ce_time text not null default '2024-02-29T12:00:00.000Z',
    ce_subject text not null,
    ce_specversion text not null default '1.0',
    content_type text not null default 'application/avro',
    ce_position text not null default '1',
    ce_correlationid text not null default 'c',
    ce_causationid text,
    traceparent text)`;

export interface OutboxRow {
  readonly position: number;
  readonly topic: string;
  readonly partition: number;
  readonly sequence: number;
  readonly key?: string;
  readonly value?: Buffer;
}

const someValue = Buffer.from("00ff10", "hex");

export function insertOutbox(row: OutboxRow): string {
  const { position, topic, partition, sequence, key = "k", value = someValue } = row;
  return `insert into public.outbox (position, topic, partition, sequence, key, recorded_at, value,
      ce_sequence, ce_id, ce_subject)
    values (${position}, '${topic}', ${partition}, ${sequence}, '${key}',
      '2024-02-29 12:00:00.12', '\\x${value.toString("hex")}', '${sequence}', 'e${position}',
      '${key}')`;
}
