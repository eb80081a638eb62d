import type { Clock, Random } from "../ports/clock.ts";
import type { EventCodec } from "../ports/codec.ts";
import type { AppendOptions, EventStore } from "../ports/event-store.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Tracer } from "../ports/tracing.ts";
import type { SharedByDeciders } from "./shared.ts";

/** What is left out of `SharedByDeciders` is the decider's own. */
export interface DeciderOptions extends Partial<SharedByDeciders> {
  readonly eventStore: EventStore;
  readonly codec: EventCodec;
  readonly random: Random;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Told of every append (default: nobody is). */
  readonly tracer?: Tracer;
  /** As whom `execute` appends (default: a command; an import is the holder of its hold). */
  readonly as?: AppendOptions["as"];
  /**
   * `one-per-round` unites a round's calls into one request, its facts in order of the calls: for
   * an import, which alone has commands and tells their times, rising. A call that fails then
   * fails the round. By default each request has only what hangs together, so that a conflict
   * sends back no more than that.
   */
  readonly requests?: "independent" | "one-per-round";
  /** Calls that are decided together (default 1,000). */
  readonly roundCallsMax?: number;
  /** Calls that wait for their round (default 20,000); more fail with `commands-waiting`. */
  readonly waitingMax?: number;
  /**
   * After so many conflicts a call is decided under the lock of the whole store (default 4: that
   * lock keeps every other append waiting over several turns of the event loop, so it has to be rare).
   */
  readonly conflictsMax?: number;
  /** Age at which the store's clock is asked for anew (default 20 ms). */
  readonly clockAgeMaxMs?: number;
}
