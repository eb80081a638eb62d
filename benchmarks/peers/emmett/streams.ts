import type { OwnPostgres } from "../../_own-postgres.ts";
import type { StreamStore } from "../../_stream-appends.ts";
import { emmettLibrary } from "./library.ts";

/** Emmett's event store as a load test sees it. @throws PeerMissing where it can't be had. */
export async function emmettStreams({ url, pool }: OwnPostgres, payload: string) {
  const library = await emmettLibrary();
  const store = library.getPostgreSQLEventStore(url, { schema: { autoMigration: "None" } });
  await store.schema.migrate();
  const event = { type: "DidSomething", data: { payload } };
  const streams: StreamStore = {
    async append(stream, calls, events) {
      const expectedStreamVersion = calls === 0 ? "STREAM_DOES_NOT_EXIST" : BigInt(calls * events);
      const some = Array.from({ length: events }, () => event);
      await store.appendToStream(stream, some, { expectedStreamVersion });
    },
    async stored(like) {
      const { rows } = await pool.query<{ n: bigint }>(
        "select count(*) as n from emt_messages where stream_id like $1",
        [`${like}%`],
      );
      return Number(rows[0]?.n);
    },
  };
  return { streams, version: library.version, [Symbol.asyncDispose]: () => store.close() };
}
