import { PostgresGenerations, PostgresReadModelStore } from "../connectors/postgres/index.ts";
import { avroCodec, StoredSchemaRegistry } from "../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../engine/memory/registry-store.ts";
import type { Generation } from "../engine/ports/read-model-store.ts";
import type { RecordLog } from "../engine/ports/record-log.ts";
import { readModelOf } from "../engine/task/projection-store.ts";
import { cartCounts, cartRecords, cartSummary, cartTopic } from "./_carts.ts";
import { rowsOf } from "./_catch-up.ts";
import { type Cost, costOf } from "./_cost.ts";
import type { OwnPostgres } from "./_own-postgres.ts";
import { readToEnd } from "./_read-to-end.ts";
import { replayToEnd } from "./_replay-to-end.ts";

/** Rebuilds of carts by Refold, from a log that has so many of their events. */
export class CartRebuilds {
  readonly #pool: OwnPostgres["pool"];
  readonly #pid: number;
  readonly #log: RecordLog;
  readonly #events: number;
  readonly #topic;
  readonly #codec = avroCodec({
    registry: new StoredSchemaRegistry({ store: new MemoryRegistryStore() }),
  });

  /** `name`: of its topic, and its projections begin with it. */
  constructor(
    on: OwnPostgres & { readonly log: RecordLog },
    { name, events }: { readonly name: string; readonly events: number },
  ) {
    this.#pool = on.pool;
    this.#pid = on.pid;
    this.#log = on.log;
    this.#events = events;
    this.#topic = cartTopic(name);
  }

  /** Puts the events into the log. */
  async fill(): Promise<void> {
    const { name, partitions } = this.#topic;
    await this.#log.ensureTopic({ name, partitions });
    await this.#codec.prepare(this.#topic);
    for (const appends of cartRecords(this.#codec, this.#topic, this.#events)) {
      await this.#log.append(appends);
    }
  }

  /**
   * Rebuilds so many projections at once; gives what it cost.
   * @throws Error naming the first row that isn't as it must be.
   */
  async rebuild(projections: number): Promise<Cost> {
    const store = new PostgresReadModelStore({ pool: this.#pool });
    const builds = new PostgresGenerations({ pool: this.#pool });
    const made = await Promise.all(
      Array.from({ length: projections }, async (_, at) => {
        const projection = cartSummary(this.#topic, `${this.#topic.name}-${at}`);
        const model = readModelOf(projection);
        await store.open(model);
        return { projection, model };
      }),
    );
    const generations: Generation[] = [];
    const fill = async ({ projection, model }: (typeof made)[number]): Promise<void> => {
      const generation = await builds.create(model, {}, 1n);
      generations.push(generation);
      const from = { log: this.#log, codec: this.#codec, topic: this.#topic };
      await replayToEnd({ ...from, projection, generation, store });
    };
    const cost = await costOf(this.#pid, () => Promise.all(made.map(fill)));
    for (const generation of generations) {
      const rows = await rowsOf(store, generation);
      this.#check(new Map([...rows].map(([key, row]) => [key, row["productItemsCount"]])));
    }
    return cost;
  }

  /** The seconds that the log alone takes. */
  readAlone(): Promise<number> {
    return readToEnd(this.#log, this.#events, this.#topic);
  }

  #check(counts: ReadonlyMap<string, unknown>): void {
    const expected = cartCounts(this.#events);
    if (counts.size !== expected.size) {
      throw new Error(`${counts.size} rows instead of ${expected.size}.`);
    }
    for (const [cart, count] of expected) {
      const found = counts.get(cart);
      if (found !== count) throw new Error(`${cart} has ${String(found)} instead of ${count}.`);
    }
  }
}
