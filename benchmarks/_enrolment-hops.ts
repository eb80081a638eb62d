import { type MeasuredInstance, queryRows } from "./_instance.ts";

/** What an enrolment passes, by the last event of each kind, in order. */
const marks = ["EnrolmentStarted", "PaymentRequested", "PaymentConfirmed", "EnrolmentCompleted"];

export interface Hop {
  readonly name: string;
  /** Of each enrolment. */
  readonly tookMs: readonly number[];
}

interface Times {
  readonly enrolmentId: string;
  /** Recorded times by the store's clock, in ms since 1970, in the order of `marks`. */
  readonly atMs: readonly number[];
}

const timesText = `select s.key as "enrolmentId",
    array(select (extract(epoch from max(e.recorded_at)) * 1000)::float8
      from unnest($2::text[]) with ordinality m (name, place)
      cross join refold.of_correlation(s.ce_correlationid) c (position)
      join refold.events e on e.position = c.position and e.ce_type like '%.' || m.name
      group by m.place order by m.place) as "atMs"
  from refold.events s
  where s.topic = 'enrolment-events' and s.key = any($1) and s.ce_type like '%.EnrolmentStarted'`;

/** Times on the clock of this machine, which the store's is too. */
export interface SeenFromOutside {
  readonly enrolmentId: string;
  readonly dueMs: number;
  readonly foundMs: number;
}

/**
 * Where the time goes from when a request was due until its completion was found committed.
 *
 * @throws Error for an enrolment that hasn't passed all of it.
 */
export async function hopsOf(
  instance: MeasuredInstance,
  seen: readonly SeenFromOutside[],
): Promise<readonly Hop[]> {
  const ids = seen.map(({ enrolmentId }) => enrolmentId);
  const found = await queryRows<Times>(instance, timesText, [ids, marks]);
  const times = new Map(found.map(({ enrolmentId, atMs }) => [enrolmentId, atMs]));
  const journeys = seen.map(({ enrolmentId, dueMs, foundMs }) => {
    const atMs = times.get(enrolmentId) ?? [];
    if (atMs.length !== marks.length) throw new Error(`${enrolmentId} has passed ${atMs.length}.`);
    return [dueMs, ...atMs, foundMs];
  });
  return ["due", ...marks].map((from, hop) => ({
    name: `${from} to ${marks[hop] ?? "found committed"}`,
    tookMs: journeys.map((journey) => (journey[hop + 1] as number) - (journey[hop] as number)),
  }));
}
