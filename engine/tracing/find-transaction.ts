import type { EventStore, ReadEvents, StoredEvent } from "../ports/event-store.ts";

export interface TransactionLimits {
  /** Events in all. */
  readonly eventsMax: number;
  /** Ids of business objects that are followed. */
  readonly tagsMax: number;
  /** Correlation ids that are followed. */
  readonly correlationsMax: number;
}

export const defaultTransactionLimits: TransactionLimits = {
  eventsMax: 2_000,
  tagsMax: 100,
  correlationsMax: 100,
};

export interface TransactionQuery {
  /** A correlation id, a trace id, an event's id, or the id of a business object. */
  readonly id: string;
  /**
   * Kinds of tags that stand for one business transaction (`registration`): what carries the same
   * belongs together. Kinds that many transactions share (`student`) don't belong here.
   */
  readonly kinds: readonly string[];
  readonly limits: TransactionLimits;
}

/** Events that belong together, in order of position. */
export interface Transaction {
  readonly events: readonly StoredEvent[];
  readonly correlationIds: readonly string[];
  /** `<kind>:<id>`, of the kinds that were asked for. */
  readonly tags: readonly string[];
  /** A limit was met: there is more. */
  readonly cut: boolean;
}

/**
 * Finds all events of a business transaction. From what the id names, events are followed by the
 * tags of the kinds asked for, and by these to every command that has touched the same objects (a
 * payment's answer, a withdrawal days later). What else those commands did is told too, and not
 * followed any further: the command that withdrew a module belongs to each of its registrations,
 * and these don't belong to each other.
 *
 * @returns undefined where the id names nothing.
 */
export async function findTransaction(
  eventStore: Pick<EventStore, "read">,
  query: TransactionQuery,
): Promise<Transaction | undefined> {
  const search = new Search(eventStore, query);
  await search.begin();
  if (search.isEmpty) return undefined;
  await search.followTags();
  await search.followCorrelations();
  return search.result();
}

class Search {
  readonly #eventStore: Pick<EventStore, "read">;
  readonly #query: TransactionQuery;
  readonly #events = new Map<string, StoredEvent>();
  readonly #tags = new Set<string>();
  readonly #correlations = new Set<string>();
  #cut = false;

  constructor(eventStore: Pick<EventStore, "read">, query: TransactionQuery) {
    this.#eventStore = eventStore;
    this.#query = query;
  }

  get isEmpty(): boolean {
    return this.#events.size === 0;
  }

  async begin(): Promise<void> {
    const { id, kinds } = this.#query;
    const own = kinds.find((kind) => id.startsWith(`${kind}:`));
    const tags = own === undefined ? kinds.map((kind) => `${kind}:${id}`) : [id];
    await this.#read({ id });
    await this.#read({ correlationId: id });
    const uuid = uuidOfTrace(id);
    if (uuid !== undefined) await this.#read({ correlationId: uuid });
    if (tags.length > 0) await this.#read({ items: tags.map((tag) => ({ tags: [tag] })) });
  }

  /** Objects lead to events, and these to more objects, until nothing is new. */
  async followTags(): Promise<void> {
    for (let fresh = this.#newTags(); fresh.length > 0; fresh = this.#newTags()) {
      for (const tag of fresh) this.#tags.add(tag);
      await this.#read({ items: fresh.map((tag) => ({ tags: [tag] })) });
    }
  }

  async followCorrelations(): Promise<void> {
    const found = new Set([...this.#events.values()].map(({ correlationId }) => correlationId));
    for (const correlationId of found) {
      if (this.#correlations.size >= this.#query.limits.correlationsMax) this.#cut = true;
      else {
        this.#correlations.add(correlationId);
        await this.#read({ correlationId });
      }
    }
  }

  result(): Transaction {
    const events = [...this.#events.values()];
    return {
      events: events.sort((one, other) => (one.position < other.position ? -1 : 1)),
      correlationIds: [...this.#correlations],
      tags: [...this.#tags],
      cut: this.#cut,
    };
  }

  #newTags(): string[] {
    const { kinds, limits } = this.#query;
    const fresh = new Set<string>();
    for (const { tags } of this.#events.values()) {
      for (const tag of tags) {
        const isWanted = kinds.includes(tag.slice(0, tag.indexOf(":"))) && !this.#tags.has(tag);
        if (!isWanted || fresh.has(tag)) continue;
        if (this.#tags.size + fresh.size >= limits.tagsMax) this.#cut = true;
        else fresh.add(tag);
      }
    }
    return [...fresh];
  }

  async #read(query: ReadEvents): Promise<void> {
    // One more than may be kept tells that there is more.
    const limit = this.#query.limits.eventsMax + 1;
    for await (const page of this.#eventStore.read({ ...query, limit })) {
      for (const event of page) this.#take(event);
    }
  }

  #take(event: StoredEvent): void {
    if (this.#events.has(event.id)) return;
    if (this.#events.size >= this.#query.limits.eventsMax) this.#cut = true;
    else this.#events.set(event.id, event);
  }
}

/** A trace that began with a correlation id has the digits of its UUID. */
function uuidOfTrace(id: string): string | undefined {
  const found = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(id);
  return found?.slice(1).join("-");
}
