import { floorBase } from "./locks.ts";

/**
 * The position at or below which nothing can still commit.
 *
 * An append, before it draws its first position, takes a shared lock that names a floor below all
 * of them, and keeps it until it has committed visibly or rolled back. Read in this order, head
 * first: whoever has drawn a position up to the head took the lock before, so it is either still
 * there, or its transaction is over. Transaction ids would not do: a transaction with a higher id
 * can draw a lower position. Nor does an unrelated long transaction hold subscribers up this way.
 */
export const safePositionFunction = `
create function refold.safe_position() returns bigint language plpgsql volatile as $$
declare
  head bigint;
  lowest bigint;
begin
  select case when is_called then last_value else 0 end into head from refold.event_positions;
  select min((classid::bigint << 32 | objid::bigint) - ${floorBase}) into lowest
  from pg_locks
  where locktype = 'advisory' and objsubid = 1 and classid::bigint >> 16 = ${floorBase >> 48n}
    and database = (select oid from pg_database where datname = current_database());
  return least(head, lowest);
end $$;
`;
