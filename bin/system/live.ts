import { CommandCounts } from "../../api/live/command-counts.ts";
import type { LiveConsumer, LiveRebuild } from "../../api/live/frame.ts";
import type { Gathered, LiveSources } from "../../api/live/sources.ts";
import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { isEqual } from "../../engine/rebuild/index.ts";
import { enrolments } from "../../projections/enrolments/index.ts";
import { payments } from "../../projections/payments/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { readStatus } from "../status/looks.ts";
import type { ConsumerStatus, StatusReport } from "../status/report.ts";
import { systemClock } from "../system-clock.ts";
import { SagaCounts } from "./saga-counts.ts";
import type { Stores } from "./stores.ts";

/** Of those that are over, the last few stay in sight. */
const rebuildsShown = 5;

/** A saga's state is a column of the read model that follows it. */
const sagas = { registrations, payments, enrolments };

export interface LivePart {
  readonly stores: Stores;
  /** Milliseconds since a projection or processor had all that its source held, where known. */
  readonly freshnessMs: (consumer: string) => number | undefined;
}

/** What the live view of this process is told from. */
export function liveSources({
  stores,
  freshnessMs,
}: LivePart): LiveSources & { readonly commands: CommandCounts } {
  const counts = new SagaCounts({ ...stores, clock: systemClock, of: sagas });
  return {
    status: () => readStatus(stores),
    commands: new CommandCounts(),
    gather: async () => {
      const [report, rebuilds, counted] = await Promise.all([
        // A look into Redis takes a connection of its own: it is for whoever asks once.
        readStatus(stores, "without Redis"),
        stores.rebuilds.list({ limit: rebuildsShown }),
        counts.look(),
      ]);
      return { ...gathered(report, freshnessMs), rebuilds: rebuilds.map(shown), sagas: counted };
    },
  };
}

function gathered(
  { capture, consumers, effects }: StatusReport,
  freshnessMs: LivePart["freshnessMs"],
): Omit<Gathered, "rebuilds" | "sagas"> {
  return {
    capture: { state: capture.state, lagBytes: capture.lagBytes },
    consumers: consumers.map((one) => consumer(one, freshnessMs(one.name))),
    effects,
    deadLetters: consumers.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
  };
}

const consumer = (one: ConsumerStatus, freshnessMs: number | undefined): LiveConsumer => ({
  name: one.name,
  kind: one.kind,
  state: one.state,
  reason: one.reason,
  lagRecords: one.lagRecords,
  lagSeconds: one.lagSeconds,
  recordsPerSecond: one.recordsPerSecond,
  freshnessMs: freshnessMs === undefined ? null : Math.max(0, Math.round(freshnessMs)),
});

function shown({ id, request, state, progress, proof, failure }: RebuildRecord): LiveRebuild {
  return {
    id: String(id),
    projection: request.projection,
    state,
    done: progress?.done ?? null,
    of: progress?.total ?? null,
    recordsPerSecond: progress?.recordsPerSecond ?? null,
    waiting: progress?.waiting ?? null,
    reason: request.reason ?? null,
    failure: failure?.message ?? null,
    proof:
      proof === undefined
        ? null
        : {
            equal: isEqual(proof),
            rows: proof.shadowRows,
            differing: proof.added + proof.removed + proof.changed,
          },
  };
}
