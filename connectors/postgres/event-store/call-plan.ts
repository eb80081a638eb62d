import type {
  AppendOptions,
  AppendRequest,
  ConditionItem,
} from "../../../engine/ports/event-store.ts";
import type { NewEvent } from "../../../engine/ports/event-store.ts";

export interface PlannedRequest {
  readonly request: AppendRequest;
  readonly options: AppendOptions;
}

/** If the event (by its number in the call) is appended above `after`, the request conflicts. */
export interface Clash {
  readonly request: number;
  readonly event: number;
  readonly after: bigint;
}

export interface CallLimits {
  readonly requestsMax: number;
  /** Of values; the first request goes however large it is. */
  readonly bytesMax: number;
  /** Bounds the work inside one call when many requests meet at one tag. */
  readonly clashesMax: number;
  /** Clients' keys: each is a lock of its own until the commit, in a table that all share. */
  readonly marksMax: number;
}

/**
 * Requests that go in one call, in order. The server checks them against the store all at once; how
 * they clash among themselves is worked out here, where it takes one map.
 */
export class CallPlan {
  readonly requests: PlannedRequest[] = [];
  readonly clashes: Clash[] = [];
  readonly #limits: CallLimits;
  readonly #ids = new Set<string>();
  readonly #events: NewEvent[] = [];
  readonly #byTag = new Map<string, number[]>();
  #bytes = 0;
  #marks = 0;

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /** False: it has to wait for the next call, and so has everything behind it. */
  add(planned: PlannedRequest): boolean {
    const { request } = planned;
    const bytes = request.events.reduce((sum, event) => sum + event.value.length, 0);
    if (this.requests.length > 0 && !this.#hasRoom(request, bytes)) return false;
    const clashes = this.#clashesOf(request);
    if (this.clashes.length + clashes.length > this.#limits.clashesMax && this.requests.length > 0)
      return false;
    this.clashes.push(...clashes);
    this.requests.push(planned);
    this.#bytes += bytes;
    this.#marks += marksOf(request);
    for (const event of request.events) this.#place(event);
    return true;
  }

  #hasRoom(request: AppendRequest, bytes: number): boolean {
    if (this.requests.length >= this.#limits.requestsMax) return false;
    if (this.#marks + marksOf(request) > this.#limits.marksMax) return false;
    if (this.#bytes + bytes > this.#limits.bytesMax) return false;
    // The same id twice: the second is a duplicate, which only a later call can see.
    return request.events.every((event) => !this.#ids.has(event.id));
  }

  #clashesOf(request: AppendRequest): Clash[] {
    const clashes: Clash[] = [];
    for (const item of request.condition) {
      for (const event of this.#candidates(item)) {
        if (!matches(this.#events[event] as NewEvent, item)) continue;
        clashes.push({ request: this.requests.length, event, after: item.after });
        if (clashes.length > this.#limits.clashesMax) return clashes;
      }
    }
    return clashes;
  }

  #candidates(item: ConditionItem): Iterable<number> {
    const tag = item.tags?.[0];
    return tag === undefined ? this.#events.keys() : (this.#byTag.get(tag) ?? []);
  }

  #place(event: NewEvent): void {
    const number = this.#events.push(event) - 1;
    this.#ids.add(event.id);
    for (const tag of event.tags) {
      const there = this.#byTag.get(tag);
      if (there) there.push(number);
      else this.#byTag.set(tag, [number]);
    }
  }
}

const marksOf = ({ alongside }: AppendRequest): number => alongside?.once?.length ?? 0;

function matches(event: NewEvent, item: ConditionItem): boolean {
  if (item.types && !item.types.includes(event.type)) return false;
  return (item.tags ?? []).every((tag) => event.tags.includes(tag));
}
