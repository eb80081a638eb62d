import { integer, text } from "../engine/columns.ts";
import { partitionOf } from "../engine/partitioner.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { PartitionAppend, RecordToAppend } from "../engine/ports/record-log.ts";
import { defineProjection } from "../engine/projection.ts";
import { defineTopic } from "../engine/topic.ts";
import { defineEvent } from "../schemas/avro/index.ts";
import { LaneRecords } from "./_lane-records.ts";

/** Shopping carts in the shape of Emmett's own benchmark of rebuilds. */
const productIdBytes = 2_000;
const itemsOfCart = 100;
/** Of one append to the log. */
const cartsOfCall = 20;

export interface CartItem {
  readonly productId: string;
  readonly quantity: number;
  readonly price: number;
}

const productItemAdded = defineEvent({
  type: "record",
  name: "ProductItemAdded",
  namespace: "carts",
  fields: [
    { name: "cartId", type: "string" },
    { name: "productId", type: "string" },
    { name: "quantity", type: "int" },
    { name: "price", type: "int" },
  ],
});

/** A topic of carts: one for each number of events, as a log keeps what it has. */
export const cartTopic = (name: string) =>
  defineTopic({ name, key: "cartId", partitions: 10, events: [productItemAdded] });

export type CartTopic = ReturnType<typeof cartTopic>;

/** How many products each cart has. */
export const cartSummary = (from: CartTopic, name: string) =>
  defineProjection({
    name,
    version: 1,
    from,
    row: { cartId: text(), productItemsCount: integer() },
    key: "cartId",
    on: {
      ProductItemAdded: (row, { cartId, quantity }) => ({
        cartId,
        productItemsCount: (row?.productItemsCount ?? 0) + quantity,
      }),
    },
  });

/** A cart, with its items in the order in which they were added. */
export interface Cart {
  readonly cartId: string;
  readonly items: readonly CartItem[];
}

/** The item of a number; the same whenever it is asked for. */
function itemOf(number: number): CartItem {
  const productId = `product-${number}-`.padEnd(productIdBytes, "x");
  // Of 1 to 10 and 1 to 100, scattered by Knuth's multiplicative constant.
  const scattered = Math.imul(number, 2_654_435_761) >>> 16;
  return { productId, quantity: (scattered % 10) + 1, price: (scattered % 100) + 1 };
}

/** Carts of a hundred items, until so many items. */
export function* cartsOf(events: number): Generator<Cart> {
  for (let first = 0; first < events; first += itemsOfCart) {
    const length = Math.min(itemsOfCart, events - first);
    const items = Array.from({ length }, (_, at) => itemOf(first + at));
    yield { cartId: `shopping_cart-${first / itemsOfCart}`, items };
  }
}

/** The products of each cart, counted without the engine. */
export function cartCounts(events: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { cartId, items } of cartsOf(events)) {
    counts.set(
      cartId,
      items.reduce((sum, { quantity }) => sum + quantity, 0),
    );
  }
  return counts;
}

/** The same events as records of the topic, a few carts at a time. */
export function* cartRecords(
  codec: EventCodec,
  of: CartTopic,
  events: number,
): Generator<PartitionAppend[]> {
  const { name: topic, partitions } = of;
  const lanes = new LaneRecords(partitions);
  for (const some of inGroups(cartsOf(events), cartsOfCall)) {
    const records: RecordToAppend[][] = Array.from({ length: partitions }, () => []);
    for (const { cartId, items } of some) {
      const partition = partitionOf(cartId, partitions);
      for (const item of items) {
        const value = codec.encode(of, productItemAdded, { cartId, ...item });
        records[partition]?.push(lanes.next(partition, cartId, value));
      }
    }
    const appends = records.map((of, partition) => ({ topic, partition, records: of }));
    yield appends.filter((append) => append.records.length > 0);
  }
}

function* inGroups<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let group: Item[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
