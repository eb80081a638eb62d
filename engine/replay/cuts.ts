import type { Offset } from "../position.ts";
import type { Fetch, RecordLog } from "../ports/record-log.ts";

/** By `<topic>/<partition>`: the first offset that is not wanted. */
export type Cuts = ReadonlyMap<string, Offset>;

export const placeOf = (of: { readonly topic: string; readonly partition: number }): string =>
  `${of.topic}/${of.partition}`;

export const cutOf = (
  cuts: Cuts,
  of: { readonly topic: string; readonly partition: number },
): Offset | undefined => cuts.get(placeOf(of));

/** Everything that the log holds of these topics now. */
export async function endsOf(
  log: Pick<RecordLog, "bounds">,
  topics: Iterable<{ readonly name: string }>,
): Promise<Cuts> {
  const cuts = new Map<string, Offset>();
  for (const { name: topic } of topics) {
    for (const { partition, end } of await log.bounds(topic)) {
      cuts.set(placeOf({ topic, partition }), end);
    }
  }
  return cuts;
}

/** A fetch that ends at the cuts, whatever its bytes hold beyond; partitions without one are left out. */
export function cutTo(fetch: Fetch, cuts: Cuts): Fetch {
  const { topic } = fetch;
  const partitions = fetch.partitions.flatMap((one) => {
    const cut = cutOf(cuts, { topic, partition: one.partition });
    if (cut === undefined) return [];
    return [cut < one.nextOffset ? { ...one, nextOffset: cut } : one];
  });
  return { topic, partitions };
}
