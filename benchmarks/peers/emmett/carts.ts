import type { Pool } from "pg";

import { type Cart, type CartItem, cartsOf } from "../../_carts.ts";
import type { EmmettLibrary, EmmettProjection, EmmettStore } from "./library.ts";

const type = "ProductItemAdded";
const itemsOfAppend = 10;

type Appends = Pick<EmmettStore, "appendToStream">;

interface CartSummary {
  readonly productItemsCount: number;
}

interface ItemAdded {
  readonly productItem: CartItem;
}

/**
 * Appends carts as Emmett's own benchmark does: a stream each, ten events a call, several writers at
 * once that have streams of their own. Gives the seconds.
 */
export async function appendCarts(
  store: Appends,
  { events, writers }: { readonly events: number; readonly writers: number },
): Promise<number> {
  const carts = cartsOf(events);
  const writer = async (): Promise<void> => {
    // Its writers take from the one that makes them.
    for (let next = carts.next(); next.done !== true; next = carts.next()) {
      await appendCart(store, next.value);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: writers }, writer));
  return (performance.now() - began) / 1_000;
}

async function appendCart(store: Appends, { cartId, items }: Cart): Promise<void> {
  for (let at = 0; at < items.length; at += itemsOfAppend) {
    const some = items.slice(at, at + itemsOfAppend);
    const events = some.map((productItem) => ({ type, data: { productItem } }));
    const expectedStreamVersion = at === 0 ? "STREAM_DOES_NOT_EXIST" : BigInt(at);
    await store.appendToStream(cartId, events, { expectedStreamVersion });
  }
}

export interface RebuildCarts {
  readonly url: string;
  /** Tables that are filled, each by a projection of its own. */
  readonly tables: readonly string[];
  /** Events that its consumer reads at once. */
  readonly batch: number;
}

/** Empties the tables and fills them from all events. */
export async function rebuildCarts(library: EmmettLibrary, of: RebuildCarts): Promise<void> {
  const consumer = library.rebuildPostgreSQLProjections({
    connectionString: of.url,
    projections: of.tables.map((table) => projectionInto(library, table)),
    pulling: { batchSize: of.batch },
  });
  try {
    await consumer.start();
  } finally {
    await consumer.close();
  }
}

const projectionInto = (library: EmmettLibrary, table: string): EmmettProjection =>
  library.pongoSingleStreamProjection<CartSummary, ItemAdded>({
    collectionName: table,
    canHandle: [type],
    initialState: () => ({ productItemsCount: 0 }),
    evolve: (cart, { data }) => ({
      ...cart,
      productItemsCount: cart.productItemsCount + data.productItem.quantity,
    }),
  });

export interface StoredCart {
  readonly cartId: string;
  readonly productItemsCount: number;
  /** The document's version: one more with each event. */
  readonly applied: number;
}

export async function cartDocuments(pool: Pool, table: string): Promise<StoredCart[]> {
  const { rows } = await pool.query<StoredCart>(
    `select _id as "cartId", (data ->> 'productItemsCount')::int as "productItemsCount",
       (data ->> '_version')::int as applied
     from ${table} order by _id`,
  );
  return rows;
}
