import { repeatedSetting, verdictsSetting } from "./call-verdicts.ts";
import { floorBase, lockSpace, stripes } from "./locks.ts";

/**
 * One call appends many requests, each with its own verdict.
 *
 * The function is VOLATILE and runs in READ COMMITTED, so that each of its statements sees what
 * had committed when the statement began. Locks are taken in statements of their own, before the
 * check: a check in the locking statement would look at a snapshot older than the lock.
 *
 * Order of locks: store, tag stripes (sorted), lane rows (sorted by the caller), the store's row.
 * Positions are drawn under the stripes, so that for one tag position order is commit order: who
 * has read an event of a tag has been able to read all lower ones.
 *
 * Verdicts: 0 appended, 1 duplicate, 2 conflict, 3 out of time, 4 held, 5 the hold is gone, 6
 * repeated. They are told to what comes behind it in the transaction too (`call-verdicts.ts`). The
 * first row of the result has them all, the positions of all events and the sequences of those
 * appended (their times too, where the caller gave any); the other rows are events: of those that
 * were recorded already what is stored, of conflicts what is newer.
 *
 * Every plan is the generic one, by indexes: the tables grow under plans that are kept, and arrays
 * give the planner nothing to estimate by. Statements walk the subscripts of the arrays: PL/pgSQL
 * keeps its array parameters expanded, so that an element costs a look into a table, where unnest
 * writes every column of every row to a store of its own and reads it back. A loop over a query
 * would not do: its cursor copies the arrays flat, where an element costs a walk from the first.
 */
const signature = `
create or replace function refold.append(
  lock_tags text[], lock_store boolean, lane_topics text[], lane_partitions integer[],
  request_as text[], request_not_before bigint[], request_before bigint[],
  item_request integer[], item_after bigint[], item_tag text[], item_tags text[],
  item_types text[],
  clash_request integer[], clash_event integer[], clash_after bigint[],
  event_request integer[], event_lane integer[], event_time bigint[],
  event_id text[], event_type text[], event_key text[], event_value bytea[], event_tags text[],
  event_correlation text[], event_causation text[], event_traceparent text[],
  tag_event integer[], tag_text text[],
  newer_max integer, look boolean default true
) returns table (verdicts text, positions text, sequences text, times text, clock_ms bigint,
  held_by text, request integer, event refold.events)
language plpgsql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  verdict integer[] := array_fill(0, array[cardinality(request_as)]);
  event_count integer := cardinality(event_id);
  new_position bigint[];
  new_sequence bigint[] := array_fill(null::bigint, array[event_count]);
  new_time bigint[];
  new_moment timestamp(3)[];
  new_text text[];
  lane_last bigint[] := array_fill(0::bigint, array[cardinality(lane_topics)]);
  lane_time bigint[] := lane_last;
  last bigint;
  last_ms bigint;
  lane_event integer[] := array_fill(null::integer, array[cardinality(lane_topics)]);
  hold_name text;
  hold_clock_ms bigint;
  now_ms bigint;
  reached_ms bigint;
  moment timestamp(3);
  moment_text text;
  incarnation text;
  source text;
  failed integer[];
  known integer[];
  told text := coalesce(current_setting('${verdictsSetting}', true), '');
  repeated text := current_setting('${repeatedSetting}', true);
  r integer;
  l integer;
begin`;

const takeLocks = `
  if lock_store then
    perform pg_advisory_xact_lock(${lockSpace}, 0);
  else
    perform case stripe
      when 0 then pg_advisory_xact_lock_shared(${lockSpace}, 0)
      else pg_advisory_xact_lock(${lockSpace}, stripe) end
    from (
      select 0 as stripe union
      select (hashtextextended(t, 0) & ${stripes - 1})::integer + 1
      from unnest(lock_tags) t order by 1) s;
  end if;`;

/**
 * What has an item's first tag is found by the index of tags; only then are other tags and types
 * looked at. OFFSET keeps the planner from turning the search of each item into a join. What is
 * repeated has its answer already, whatever else is true of it; a hold goes before a conflict.
 */
const checkConditions = `
  select s.hold_name, s.hold_clock_ms, '/refold/' || s.store_id, refold.incarnation_of(s), (
    select array_agg(distinct item_request[i])
    from generate_subscripts(item_request, 1) i
    where item_tag[i] is not null and exists (
      select from refold.event_tags t
      where t.tag = hashtextextended(item_tag[i], 0) and t.position > item_after[i]
        and (select item_tag[i] = any (e.tags)
            and (item_tags[i] is null or e.tags @> item_tags[i]::text[])
            and (item_types[i] is null or e.ce_type = any (item_types[i]::text[]))
          from refold.events e where e.position = t.position)
      offset 0))
  into hold_name, hold_clock_ms, source, incarnation, failed from refold.store s;

  if array_position(item_tag, null) is not null then
    select array_agg(distinct item_request[i]) || failed into failed
    from generate_subscripts(item_request, 1) i
    where item_tag[i] is null and exists (
      select from refold.events e where e.position > item_after[i]
        and (item_types[i] is null or e.ce_type = any (item_types[i]::text[])) offset 0);
  end if;

  for r in 1 .. cardinality(request_as) loop
    if repeated <> '' and substr(repeated, length(told) + r, 1) = '6' then verdict[r] := 6;
    elsif hold_name is null then
      if request_as[r] like 'holder %' then verdict[r] := 5; end if;
    elsif request_as[r] not in ('processor', 'holder ' || hold_name) then verdict[r] := 4;
    end if;
  end loop;
  foreach r in array coalesce(failed, '{}') loop
    if verdict[r] = 0 then verdict[r] := 2; end if;
  end loop;`;

/**
 * A request whose events are all recorded is told so whatever else is the matter with it: a retry
 * conflicts with its own events. Of others, the events that are recorded stay as they are. Where
 * nothing is the matter the index of ids finds them as well, when they are inserted: the call fails
 * then, and the caller has the next one look.
 */
const findDuplicates = `
  if look or request_not_before is not null or cardinality(clash_request) > 0
    or 2 = any (verdict) or 4 = any (verdict) or 5 = any (verdict)
  then
    select array_agg(i) into known from generate_series(1, event_count) i
    where exists (select from refold.events e where e.ce_id = event_id[i] offset 0);
  end if;
  if known is not null then
    select array_agg(distinct event_request[k]) into failed from unnest(known) k;
    foreach r in array failed loop
      if verdict[r] <> 6 and not exists (select from generate_series(1, event_count) i
        where event_request[i] = r and array_position(known, i) is null)
      then verdict[r] := 1; end if;
    end loop;
  end if;`;

/**
 * Lanes that don't exist are made in their place in the order: whoever locked those that exist
 * before making the others would hold a later one while waiting for an earlier one.
 */
const lockLanes = `
  if 0 = any (verdict) then
    for i in 1 .. cardinality(lane_topics) loop
      loop
        select x.last_sequence, (extract(epoch from x.last_recorded_at) * 1000)::bigint
        into last, last_ms from refold.lanes x
        where x.topic = lane_topics[i] and x.partition = lane_partitions[i] for update;
        exit when found;
        insert into refold.lanes (topic, partition) values (lane_topics[i], lane_partitions[i])
        on conflict do nothing;
      end loop;
      lane_last[i] := last;
      lane_time[i] := last_ms;
      now_ms := greatest(now_ms, last_ms);
    end loop;
  end if;
  now_ms := greatest(now_ms,
    coalesce(hold_clock_ms, floor(extract(epoch from clock_timestamp()) * 1000)::bigint));

  for r in 1 .. coalesce(cardinality(request_not_before), 0) loop
    if verdict[r] = 0 and (now_ms < request_not_before[r] or now_ms >= request_before[r])
    then verdict[r] := 3; end if;
  end loop;`;

/**
 * Within the call a later request sees the earlier ones' events: the caller names the pairs that
 * would clash, in order.
 */
const drawPositions = `
  if 0 = any (verdict) and event_count > 0 then
    -- Told to safe_position() before the first position is drawn.
    perform pg_advisory_xact_lock_shared(
      ${floorBase} + coalesce(pg_sequence_last_value('refold.event_positions'), 0));
    select array_agg(nextval('refold.event_positions')) into new_position
    from generate_series(1, event_count);

    for i in 1 .. cardinality(clash_request) loop
      r := clash_request[i];
      if verdict[r] in (0, 3) and verdict[event_request[clash_event[i]]] = 0
        and new_position[clash_event[i]] > clash_after[i]
        and (known is null or array_position(known, clash_event[i]) is null)
      then verdict[r] := 2; end if;
    end loop;
  end if;`;

const momentOf = (ms: string): string => `timestamp(3) 'epoch' + ${ms} * interval '1 millisecond'`;
const textOf = (moment: string): string => `to_char(${moment}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Times that the holder gives count from the last of the lane: they never go back in it. */
const placeEvents = `
  if new_position is not null and 0 = any (verdict) then
    if event_time is not null then
      new_time := array_fill(null::bigint, array[event_count]);
      new_moment := array_fill(null::timestamp(3), array[event_count]);
      new_text := array_fill(null::text, array[event_count]);
    end if;
    for i in 1 .. event_count loop
      if verdict[event_request[i]] = 0
        and (known is null or array_position(known, i) is null)
      then
        l := event_lane[i];
        lane_last[l] := lane_last[l] + 1;
        lane_event[l] := i;
        new_sequence[i] := lane_last[l];
        if new_time is not null then
          lane_time[l] := greatest(coalesce(event_time[i], now_ms), lane_time[l]);
          new_time[i] := lane_time[l];
          -- They rise, so that most have the one before.
          if new_time[i] is distinct from reached_ms then
            reached_ms := new_time[i];
            moment := ${momentOf("reached_ms")};
            moment_text := ${textOf("moment")};
          end if;
          new_moment[i] := moment;
          new_text[i] := moment_text;
        end if;
      end if;
    end loop;
  end if;`;

const insertEvents = `
  if new_position is not null and 0 = any (verdict) then
    moment := ${momentOf("now_ms")};
    moment_text := ${textOf("moment")};

    insert into refold.events
    select new_position[i], lane_topics[event_lane[i]], lane_partitions[event_lane[i]],
      new_sequence[i], event_key[i], coalesce(new_moment[i], moment), event_value[i],
      new_sequence[i]::text, incarnation, event_id[i], event_type[i], source,
      coalesce(new_text[i], moment_text), event_key[i],
      '1.0', 'application/avro', new_position[i]::text, event_correlation[i], event_causation[i],
      event_traceparent[i], event_tags[i]::text[]
    from generate_series(1, event_count) i where new_sequence[i] is not null;

    insert into refold.event_tags
    select hashtextextended(tag_text[i], 0), new_position[tag_event[i]]
    from generate_subscripts(tag_text, 1) i where new_sequence[tag_event[i]] is not null order by 1;

    update refold.lanes x
    set last_sequence = lane_last[i], last_event_id = event_id[lane_event[i]],
      last_recorded_at = coalesce(new_moment[lane_event[i]], moment)
    from generate_subscripts(lane_topics, 1) i
    where x.topic = lane_topics[i] and x.partition = lane_partitions[i]
      and lane_event[i] is not null;

    -- The hold's clock goes on with what is recorded: what is appended next is not earlier.
    if new_time is not null then
      select max(t) into reached_ms from unnest(new_time) t;
      update refold.store set hold_clock_ms = reached_ms where hold_clock_ms < reached_ms;
    end if;
  end if;`;

const noEvent = "null::integer, null::refold.events";
const noHead = "null::text, null::text, null::text, null::text, null::bigint, null::text";

const answer = `
  perform set_config('${verdictsSetting}', told || array_to_string(verdict, ''), true);
  return query select array_to_string(verdict, ','), array_to_string(new_position, ','),
    array_to_string(new_sequence, ','), array_to_string(new_time, ','), now_ms, hold_name,
    ${noEvent};
  if known is not null then
    return query select ${noHead}, event_request[k], e
    from unnest(known) k join refold.events e on e.ce_id = event_id[k]
    where verdict[event_request[k]] in (0, 1);
  end if;
  if 2 = any (verdict) then
    return query select ${noHead}, c.request, n
    from (select distinct x from unnest(item_request) x where verdict[x] = 2) c (request)
    cross join lateral refold.newer(c.request, item_request, item_after, item_tag, item_tags,
      item_types, newer_max + 1) n;
  end if;
end $$;`;

/** The events that a request's items match after their positions, in order of position. */
const newer = `
create or replace function refold.newer(
  of_request integer, item_request integer[], item_after bigint[], item_tag text[],
  item_tags text[], item_types text[], at_most integer
) returns setof refold.events language sql volatile
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select e.* from (
    select distinct m.position
    from unnest(item_request, item_after, item_tag, item_tags, item_types)
      i (request, after, tag, tags, types)
    cross join lateral (
      (select e.position from refold.event_tags t
      join refold.events e on e.position = t.position
      where i.tag is not null and t.tag = hashtextextended(i.tag, 0) and t.position > i.after
        and i.tag = any (e.tags) and (i.tags is null or e.tags @> i.tags::text[])
        and (i.types is null or e.ce_type = any (i.types::text[]))
      order by t.position limit at_most)
      union all
      (select e.position from refold.events e
      where i.tag is null and e.position > i.after
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
  checkConditions,
  findDuplicates,
  lockLanes,
  drawPositions,
  placeEvents,
  insertEvents,
  answer,
].join("\n");
