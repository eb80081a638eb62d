/**
 * Notices have lanes and times like events, but no tags and no conditions: lane rows are locked in
 * the caller's order, and the rows follow.
 */
export const noticesFunction = `
create function refold.insert_notices(
  lane_topics text[], lane_partitions integer[], notice_lane integer[], notice_id text[],
  notice_type text[], notice_key text[], notice_value bytea[], notice_correlation text[],
  notice_causation text[], notice_traceparent text[]
) returns void language plpgsql volatile as $$
declare
  lane_last bigint[];
  lanes_at bigint;
  now_ms bigint;
begin
  insert into refold.lanes (topic, partition)
  select l.topic, l.partition
  from unnest(lane_topics, lane_partitions) with ordinality l (topic, partition, ord)
  where not exists (select from refold.lanes x
    where x.topic = l.topic and x.partition = l.partition)
  order by l.ord on conflict do nothing;

  select array_agg(last_sequence order by ord),
    (extract(epoch from max(last_recorded_at)) * 1000)::bigint
  into lane_last, lanes_at
  from (
    select l.ord, x.last_sequence, x.last_recorded_at
    from unnest(lane_topics, lane_partitions) with ordinality l (topic, partition, ord)
    join refold.lanes x on x.topic = l.topic and x.partition = l.partition
    order by l.ord for update of x) locked;
  now_ms := greatest(refold.clock_ms(), lanes_at);

  with placed as (
    select x.*, nextval('refold.notice_positions') as position,
      lane_last[x.lane] + row_number() over (partition by x.lane order by x.ord) as sequence
    from unnest(notice_lane, notice_id, notice_type, notice_key, notice_value,
      notice_correlation, notice_causation, notice_traceparent) with ordinality
      x (lane, id, type, key, value, correlation, causation, traceparent, ord)
  ), constants as materialized (
    select store_id, refold.incarnation() as incarnation, moment,
      to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text
    from refold.store,
      (select timestamp(3) 'epoch' + now_ms * interval '1 millisecond' as moment) m
  ), written as (
    insert into refold.notices
    select p.position, lane_topics[p.lane], lane_partitions[p.lane], p.sequence, p.key,
      c.moment, p.value, p.sequence::text, c.incarnation, p.id, p.type,
      '/refold/' || c.store_id, c.text, p.key, '1.0', 'application/avro', p.position::text,
      p.correlation, p.causation, p.traceparent
    from placed p cross join constants c order by p.ord
  )
  update refold.lanes l
  set last_sequence = p.sequence, last_event_id = p.id, last_recorded_at = c.moment
  from (select distinct on (lane) lane, sequence, id from placed order by lane, ord desc) p,
    constants c
  where l.topic = lane_topics[p.lane] and l.partition = lane_partitions[p.lane];
end $$;
`;
