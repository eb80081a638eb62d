import { defaultSnapshotLimits, SnapshotPolicy } from "../../engine/history/snapshot-policy.ts";
import { defaultStandingAuditLimits, StandingAudit } from "../../engine/history/standing-audit.ts";
import type { Metrics } from "../../engine/ports/metrics.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import type { RunningConsumers } from "./consumers.ts";
import { openHistory } from "./history.ts";
import type { Stores } from "./stores.ts";

export interface AuditsPart {
  readonly stores: Stores;
  readonly projections: readonly AnyProjection[];
  readonly consumers: Pick<RunningConsumers, "owns">;
  readonly metrics: Metrics;
  readonly report: (message: string) => void;
  /** From the end of one look to the begin of the next (default: that of the standing audit). */
  readonly auditRestMs?: number;
}

/**
 * In the background: snapshots of the read models, each held against the log, and a look whether
 * stored rows still are what the log gives. Of several processes one does so for a projection.
 */
export function startAudits(part: AuditsPart): AsyncDisposable {
  const { stores, projections, consumers, metrics, report } = part;
  const { auditRestMs: restMs = defaultStandingAuditLimits.restMs } = part;
  const ending = new AbortController();
  const history = openHistory(stores, projections);
  const shared = {
    ...stores,
    projections,
    clock: systemClock,
    random: new SystemRandom(),
    metrics,
    report,
    isMine: (projection: string) => consumers.owns(projection),
  };
  const snapshots = new SnapshotPolicy({ ...shared, ...defaultSnapshotLimits });
  const audit = new StandingAudit({
    ...shared,
    ...defaultStandingAuditLimits,
    restMs,
    rows: history.rows,
  });
  const { signal } = ending;
  const done = Promise.all(
    [snapshots.run(signal), audit.run(signal)].map((run) =>
      run.catch((error: unknown) => {
        report(`Audits ended: ${error instanceof Error ? error.message : String(error)}`);
      }),
    ),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await done;
      history[Symbol.dispose]();
    },
  };
}
