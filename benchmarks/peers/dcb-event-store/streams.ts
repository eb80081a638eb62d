import type { OwnPostgres } from "../../_own-postgres.ts";
import type { StreamStore } from "../../_stream-appends.ts";
import { dcbLibrary, type Opaque } from "./library.ts";

const type = "DidSomething";
/** Its table would be called as Refold's in the same schema. */
const tablePrefix = "dcb";

/**
 * The DCB event store as a load test sees it: a stream is a tag, and its expected version the
 * position after which nothing with that tag may have come.
 *
 * @throws PeerMissing where it can't be had.
 */
export async function dcbStreams({ url, pool }: OwnPostgres, payload: string) {
  const { Tags, Query, PostgresEventStore, Pool, version } = await dcbLibrary();
  const own = new Pool({ connectionString: url, max: 10 });
  // The server may end first, when the run has failed: that error is the one to tell.
  own.on("error", () => undefined);
  const store = new PostgresEventStore({ pool: own, tablePrefix });
  await store.ensureInstalled();
  const ends = new Map<string, Opaque>();
  const streams: StreamStore = {
    async append(stream, _, events) {
      const tags = Tags.from([`stream=${stream}`]);
      const event = { type, tags, data: { payload }, metadata: {} };
      const after = ends.get(stream);
      const failIfEventsMatch = Query.fromItems([{ types: [type], tags }]);
      const condition = { failIfEventsMatch, ...(after === undefined ? {} : { after }) };
      const some = Array.from({ length: events }, () => event);
      ends.set(stream, await store.append({ events: some, condition }));
    },
    async stored(like) {
      const { rows } = await pool.query<{ n: bigint }>(
        `select count(*) as n from ${tablePrefix}_events where array_to_string(tags, ' ') like $1`,
        [`stream=${like}%`],
      );
      return Number(rows[0]?.n);
    },
  };
  return { streams, version, [Symbol.asyncDispose]: () => own.end() };
}
