/**
 * What comes behind an append in its transaction is sent before the append is answered: the server
 * itself tells which requests count. Three settings of the transaction carry that, in which a
 * character stands for a request, counted from the first of the transaction's appends:
 *
 * - `refold.repeated`: `6` for a request with a client's key that stands for something already.
 *   Written before the append, which gives it this verdict; requests behind the last one may be left
 *   out.
 * - `refold.verdicts`: the verdicts of `refold.append`, written by it.
 * - `refold.fence`: `lost` where partitions of the flush belong to others by now.
 */
export const repeatedSetting = "refold.repeated";
export const verdictsSetting = "refold.verdicts";
export const fenceSetting = "refold.fence";

/** Class `RF` is no class of the SQL standard or of Postgres. */
export const notWholeState = "RF001";

const verdict = `substr(current_setting('${verdictsSetting}', true), request, 1)`;

/**
 * Requests by their numbers in the transaction, from 1. Without an append before them all count:
 * whoever calls then has decided it already.
 */
export const verdictFunctions = `
create function refold.was_appended(request integer) returns boolean language sql stable
return coalesce(${verdict}, '') in ('', '0', '1');

-- And not a duplicate, whose deadlines may be over since it was recorded.
create function refold.was_written(request integer) returns boolean language sql stable
return coalesce(${verdict}, '') in ('', '0');

-- For a transaction that commits all of its appends and positions, or nothing: what fails here turns
-- the commit behind it into a rollback.
create function refold.assert_whole() returns void language plpgsql stable as $$
begin
  if current_setting('${fenceSetting}', true) = 'lost'
    or current_setting('${verdictsSetting}', true) ~ '[^01]'
  then
    raise exception using errcode = '${notWholeState}',
      message = 'Not all of the transaction can be committed: its answers tell what is the matter.';
  end if;
end $$;`;
