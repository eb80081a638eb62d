import type { Offset } from "../position.ts";
import type { Fetch } from "../ports/record-log.ts";

/** By `<topic>/<partition>`: the first offset that is not wanted. */
export type Cuts = ReadonlyMap<string, Offset>;

export const placeOf = (of: { readonly topic: string; readonly partition: number }): string =>
  `${of.topic}/${of.partition}`;

export const cutOf = (
  cuts: Cuts,
  of: { readonly topic: string; readonly partition: number },
): Offset | undefined => cuts.get(placeOf(of));

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
