import { type Cost, costOf } from "../../_cost.ts";
import type { OwnPostgres } from "../../_own-postgres.ts";
import { appendCarts, cartDocuments, rebuildCarts } from "./carts.ts";
import { leftOutOf, type LeftOut } from "./left-out.ts";
import { emmettLibrary } from "./library.ts";

export interface EmmettRebuilds {
  readonly events: number;
  /** Events that it rebuilds before what is measured. */
  readonly warmUpEvents: number;
  /** That append at once. */
  readonly writers: number;
  /** Events that its consumer reads at once. */
  readonly batch: number;
}

export interface EmmettRebuilt {
  readonly cost: Cost;
  /** Of all its projections together. */
  readonly leftOut: LeftOut;
}

/** Of one rebuild alone, as its own benchmark has them. */
const tablesOf = (rebuild: string, count: number) =>
  Array.from({ length: count }, (_, at) => `carts_${rebuild}_${at}`);

/**
 * Appends carts to Emmett's store and rebuilds one projection of them, and then two.
 * @throws PeerMissing where the library can't be had, and Error for wrong rows.
 */
export async function measureEmmettRebuilds({ url, pool, pid }: OwnPostgres, of: EmmettRebuilds) {
  const { events, warmUpEvents, writers, batch } = of;
  const library = await emmettLibrary();
  const store = library.getPostgreSQLEventStore(url, { schema: { autoMigration: "None" } });
  await store.schema.migrate();
  await appendCarts(store, { events: warmUpEvents, writers });
  await rebuildCarts(library, { url, tables: tablesOf("warm_up", 2), batch });
  await pool.query("truncate emt_messages, emt_streams, emt_processors");
  await appendCarts(store, { events, writers });
  await store.close();
  const rebuild = async (name: string, projections: number): Promise<EmmettRebuilt> => {
    const tables = tablesOf(name, projections);
    const cost = await costOf(pid, () => rebuildCarts(library, { url, tables, batch }));
    const left = { events: 0, rows: 0 };
    for (const table of tables) {
      const more = leftOutOf(await cartDocuments(pool, table), events);
      left.events += more.events;
      left.rows += more.rows;
    }
    return { cost, leftOut: left };
  };
  const { version } = library;
  return { version, one: await rebuild("one", 1), two: await rebuild("two", 2) };
}
