import { once } from "node:events";

import type { RecordLog } from "../engine/ports/record-log.ts";

/**
 * The log, but nothing of it is read before the gate opens: processes can share out their partitions
 * before the clock starts.
 */
export const gated = (log: RecordLog, open: Promise<unknown>): RecordLog => ({
  ensureTopic: (spec) => log.ensureTopic(spec),
  topics: () => log.topics(),
  append: (appends) => log.append(appends),
  bounds: (topic) => log.bounds(topic),
  offsetsAt: (topic, timestampMs) => log.offsetsAt(topic, timestampMs),
  read: async function* (options) {
    const { signal } = options;
    // A reader whose partition goes to another process ends at once.
    if (!signal.aborted) await Promise.race([open, once(signal, "abort")]);
    yield* log.read(options);
  },
  [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
});
