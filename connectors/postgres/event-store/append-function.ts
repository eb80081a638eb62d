import { floorBase, lockSpace, stripes } from "./locks.ts";

/**
 * One call appends many requests, each with its own verdict.
 *
 * The function is VOLATILE and runs in READ COMMITTED, so that each of its statements sees what
 * had committed when the statement began. Locks are taken in statements of their own, before the
 * check: a check in the locking statement would look at a snapshot older than the lock.
 *
 * Order of locks: store, tag stripes (sorted), lane rows (sorted by the caller). Positions are
 * drawn under the stripes, so that for one tag position order is commit order: who has read an
 * event of a tag has been able to read all lower ones.
 *
 * Verdicts: 0 appended, 1 duplicate, 2 conflict, 3 out of time, 4 held, 5 the hold is gone, 6 some
 * ids of the request are taken and some aren't. The first row of the result has them all, the
 * positions of all events and the sequences of those appended; the other rows are events: of
 * duplicates what is stored, of conflicts what is newer.
 *
 * Every plan is the generic one, by indexes: the tables grow under plans that are kept, and arrays
 * give the planner nothing to estimate by.
 */
const signature = `
create function refold.append(
  lock_tags text[], lock_store boolean, lane_topics text[], lane_partitions integer[],
  request_as text[], request_not_before bigint[], request_before bigint[],
  item_request integer[], item_after bigint[], item_tags text[], item_types text[],
  clash_request integer[], clash_event integer[], clash_after bigint[],
  event_request integer[], event_lane integer[], event_id text[], event_type text[],
  event_key text[], event_value bytea[], event_tags text[],
  event_correlation text[], event_causation text[], event_traceparent text[],
  newer_max integer
) returns table (verdicts text, positions text, sequences text, clock_ms bigint, held_by text,
  request integer, event refold.events)
language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  verdict integer[] := array_fill(0, array[cardinality(request_as)]);
  failed integer[];
  new_position bigint[];
  new_sequence bigint[];
  lane_last bigint[];
  lanes_at bigint;
  now_ms bigint;
  hold text;
  r integer;
begin`;

const takeLocks = `
  if lock_store then
    perform pg_advisory_xact_lock(${lockSpace}, 0);
  else
    perform pg_advisory_xact_lock_shared(${lockSpace}, 0);
    perform pg_advisory_xact_lock(${lockSpace}, stripe) from (
      select distinct (hashtextextended(t, 0) & ${stripes - 1})::integer + 1 as stripe
      from unnest(lock_tags) t order by 1) s;
  end if;`;

/** A duplicate is told before anything else: a retry would conflict with its own events. */
const findDuplicates = `
  for r, failed in
    select x.request, array_agg(x.ord::integer) from unnest(event_id, event_request)
      with ordinality x (id, request, ord)
    join refold.events e on e.ce_id = x.id group by x.request
  loop
    verdict[r] := case when cardinality(failed) = (
      select count(*) from unnest(event_request) q where q = r) then 1 else 6 end;
  end loop;

  select hold_name into hold from refold.store;
  if hold is not null then
    for r in select i from generate_subscripts(verdict, 1) i
      where verdict[i] = 0 and request_as[i] not in ('processor', 'holder ' || hold)
    loop verdict[r] := 4; end loop;
  else
    for r in select i from generate_subscripts(verdict, 1) i
      where verdict[i] = 0 and request_as[i] like 'holder %'
    loop verdict[r] := 5; end loop;
  end if;`;

const checkConditions = `
  for r in
    select distinct i.request
    from unnest(item_request, item_after, item_tags::text[], item_types)
      i (request, after, tags, types)
    where exists (
      select from refold.event_tags t
      join refold.events e on e.position = t.position
      where i.tags <> '{}' and t.tag = hashtextextended((i.tags::text[])[1], 0)
        and t.position > i.after and e.tags @> i.tags::text[]
        and (i.types is null or e.ce_type = any (i.types::text[]))
      union all
      select from refold.events e
      where i.tags = '{}' and e.position > i.after
        and (i.types is null or e.ce_type = any (i.types::text[])))
  loop
    if verdict[r] = 0 then verdict[r] := 2; end if;
  end loop;`;

const lockLanes = `
  if 0 = any (verdict) and cardinality(lane_topics) > 0 then
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
  end if;
  now_ms := greatest(refold.clock_ms(), lanes_at);

  for r in select i from generate_subscripts(verdict, 1) i
    where verdict[i] = 0 and (now_ms < request_not_before[i] or now_ms >= request_before[i])
  loop verdict[r] := 3; end loop;`;

/**
 * Within the call a later request sees the earlier ones' events: the caller names the pairs that
 * would clash, in order.
 */
const drawPositions = `
  if 0 = any (verdict) and cardinality(event_id) > 0 then
    -- Told to safe_position() before the first position is drawn.
    perform pg_advisory_xact_lock_shared(${floorBase} +
      (select case when is_called then last_value else 0 end from refold.event_positions));
    select array_agg(nextval('refold.event_positions')) into new_position
    from generate_series(1, cardinality(event_id));

    for i in 1 .. cardinality(clash_request) loop
      r := clash_request[i];
      if verdict[r] in (0, 3) and verdict[event_request[clash_event[i]]] = 0
        and new_position[clash_event[i]] > clash_after[i]
      then verdict[r] := 2; end if;
    end loop;
  end if;`;

const insertEvents = `
  if new_position is not null and 0 = any (verdict) then
    with placed as (
      select x.*, x.ord::integer as n, new_position[x.ord] as position,
        lane_last[x.lane] + row_number() over (partition by x.lane order by x.ord) as sequence
      from unnest(event_request, event_lane, event_id, event_type, event_key, event_value,
        event_tags, event_correlation, event_causation, event_traceparent) with ordinality
        x (request, lane, id, type, key, value, tags, correlation, causation, traceparent, ord)
      where verdict[x.request] = 0
    ), constants as materialized (
      select store_id, refold.incarnation() as incarnation, moment,
        to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text
      from refold.store,
        (select timestamp(3) 'epoch' + now_ms * interval '1 millisecond' as moment) m
    ), written as (
      insert into refold.events
      select p.position, lane_topics[p.lane], lane_partitions[p.lane], p.sequence, p.key,
        c.moment, p.value, p.sequence::text, c.incarnation, p.id, p.type,
        '/refold/' || c.store_id, c.text, p.key, '1.0', 'application/avro', p.position::text,
        p.correlation, p.causation, p.traceparent, p.tags::text[]
      from placed p cross join constants c order by p.ord
    ), tagged as (
      insert into refold.event_tags
      select hashtextextended(t, 0), p.position
      from placed p cross join lateral unnest(p.tags::text[]) t
    ), moved as (
      update refold.lanes l
      set last_sequence = p.sequence, last_event_id = p.id, last_recorded_at = c.moment
      from (select distinct on (lane) lane, sequence, id from placed order by lane, ord desc) p,
        constants c
      where l.topic = lane_topics[p.lane] and l.partition = lane_partitions[p.lane]
    )
    select array_agg(sequence order by ord) into new_sequence from placed;
  end if;`;

const answer = `
  return query select array_to_string(verdict, ','), array_to_string(new_position, ','),
    array_to_string(new_sequence, ','), now_ms, hold, null::integer, null::refold.events;
  if 1 = any (verdict) then
    return query select null::text, null::text, null::text, null::bigint, null::text, x.request, e
    from unnest(event_id, event_request) x (id, request)
    join refold.events e on e.ce_id = x.id
    where verdict[x.request] = 1;
  end if;
  if 2 = any (verdict) then
    return query select null::text, null::text, null::text, null::bigint, null::text, c.request, n
    from (select distinct x from unnest(item_request) x where verdict[x] = 2) c (request)
    cross join lateral refold.newer(c.request, item_request, item_after, item_tags, item_types,
      newer_max + 1) n;
  end if;
end $$;`;

/** The events that a request's items match after their positions, in order of position. */
const newer = `
create function refold.newer(
  of_request integer, item_request integer[], item_after bigint[], item_tags text[],
  item_types text[], at_most integer
) returns setof refold.events language sql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select e.* from (
    select distinct m.position
    from unnest(item_request, item_after, item_tags, item_types) i (request, after, tags, types)
    cross join lateral (
      (select e.position from refold.event_tags t
      join refold.events e on e.position = t.position
      where i.tags <> '{}' and t.tag = hashtextextended((i.tags::text[])[1], 0)
        and t.position > i.after and e.tags @> i.tags::text[]
        and (i.types is null or e.ce_type = any (i.types::text[]))
      order by t.position limit at_most)
      union all
      (select e.position from refold.events e
      where i.tags = '{}' and e.position > i.after
        and (i.types is null or e.ce_type = any (i.types::text[]))
      order by e.position limit at_most)) m
    where i.request = of_request
    order by m.position limit at_most) p
  join refold.events e on e.position = p.position
  order by e.position
$$;
`;

export const appendFunction = [
  newer,
  signature,
  takeLocks,
  findDuplicates,
  checkConditions,
  lockLanes,
  drawPositions,
  insertEvents,
  answer,
].join("\n");
