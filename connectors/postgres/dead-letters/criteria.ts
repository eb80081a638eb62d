import type { Disposition, LetterCriteria } from "../../../engine/ports/dead-letters.ts";

/**
 * A condition on `refold.dead_letters d`, whose parameters are added to the statement's values.
 * Nothing that a caller gives becomes part of the text.
 */
export function conditionOf(criteria: LetterCriteria, values: unknown[]): string {
  const found = [...conditions(criteria)].map(([text, value]) => {
    values.push(value);
    return text.replaceAll("?", `$${values.length}`);
  });
  return found.length === 0 ? "true" : found.join(" and ");
}

function* conditions(criteria: LetterCriteria): Generator<readonly [string, unknown]> {
  const equal: readonly (readonly [string, unknown])[] = [
    ["d.id = ?::int8", criteria.id],
    ["d.consumer = ?::text", criteria.consumer],
    ["d.generation = ?::int4", criteria.generation],
    ["d.cause = ?::text", criteria.cause],
    ["d.topic = ?::text", criteria.topic],
    ["d.partition = ?::int4", criteria.partition],
    ["d.key = ?::bytea", criteria.key],
    ["d.event_type = ?::text", criteria.type],
    ["d.correlation_id = ?::text", criteria.correlationId],
    ["d.first_at >= ?::timestamptz", criteria.from],
    ["d.first_at < ?::timestamptz", criteria.until],
    ["d.order_id = ?::int8", criteria.order],
    ["(d.edited_at is not null) = ?::boolean", criteria.edited],
  ];
  for (const [text, value] of equal) if (value !== undefined) yield [text, value];
  const { disposition } = criteria;
  if (disposition === undefined) return;
  yield ["d.disposition = any(?::text[])", [disposition].flat()];
}

/** Criteria as an order keeps them. */
interface StoredCriteria extends Omit<
  LetterCriteria,
  "id" | "key" | "from" | "until" | "order" | "disposition"
> {
  readonly id?: string;
  /** Base64. */
  readonly key?: string;
  readonly from?: string;
  readonly until?: string;
  readonly order?: string;
  readonly disposition?: readonly Disposition[];
}

export function storedCriteria(criteria: LetterCriteria): StoredCriteria {
  const { id, key, from, until, order, disposition, ...rest } = criteria;
  return {
    ...rest,
    ...(id === undefined ? {} : { id: String(id) }),
    ...(key === undefined ? {} : { key: Buffer.from(key).toString("base64") }),
    ...(from === undefined ? {} : { from: from.toISOString() }),
    ...(until === undefined ? {} : { until: until.toISOString() }),
    ...(order === undefined ? {} : { order: String(order) }),
    ...(disposition === undefined ? {} : { disposition: [disposition].flat() }),
  };
}

export function criteriaOf(stored: StoredCriteria): LetterCriteria {
  const { id, key, from, until, order, ...rest } = stored;
  return {
    ...rest,
    ...(id === undefined ? {} : { id: BigInt(id) }),
    ...(key === undefined ? {} : { key: Buffer.from(key, "base64") }),
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
    ...(order === undefined ? {} : { order: BigInt(order) }),
  };
}

export type { StoredCriteria };
