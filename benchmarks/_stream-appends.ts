/**
 * Conditional appends in the shape of event stores' load tests: writers that each wait for their
 * append, every one to a stream of its own at the version that it expects.
 */
export interface StreamAppends {
  readonly writers: number;
  /** Calls of all writers together. */
  readonly calls: number;
  readonly eventsOfCall: number;
}

/** A store, as a load test sees it. */
export interface StreamStore {
  /**
   * Appends so many events to a stream that has been appended to so many calls before.
   * @throws Error when the stream isn't where the caller has left it.
   */
  append(stream: string, calls: number, events: number): Promise<void>;
  /** Events that are stored of streams that begin so. */
  stored(streams: string): Promise<number>;
}

let rounds = 0;

/**
 * Runs the load, and gives its seconds.
 * @throws Error when other than all events are stored.
 */
export async function measureStreamAppends(
  store: StreamStore,
  { writers, calls, eventsOfCall }: StreamAppends,
): Promise<number> {
  const streams = `load-${(rounds += 1)}-`;
  const each = Math.ceil(calls / writers);
  const writer = async (_: unknown, at: number): Promise<void> => {
    for (let call = 0; call < each; call += 1) {
      await store.append(`${streams}${at}`, call, eventsOfCall);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: writers }, writer));
  const seconds = (performance.now() - began) / 1_000;
  const expected = each * writers * eventsOfCall;
  const stored = await store.stored(streams);
  if (stored !== expected) throw new Error(`${stored} events are stored instead of ${expected}.`);
  return seconds;
}
