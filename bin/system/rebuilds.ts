import { join, resolve } from "node:path";

import type { Metrics } from "../../engine/ports/metrics.ts";
import {
  Conductor,
  RebuildDesk,
  type RebuildEnvironment,
  workedOnByBoard,
} from "../../engine/rebuild/index.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import type { DatabasePlace, NewVersions, Place } from "../environment.ts";
import { differenceFiles } from "../rebuild/difference-file.ts";
import { staleAfterMs } from "../status/report.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { refoldVersion } from "../version.ts";
import { instanceName } from "./instance.ts";
import type { Stores } from "./stores.ts";

export interface RebuildPart {
  readonly stores: Stores;
  readonly metrics: Metrics;
  /** Where differing rows are written down. */
  readonly differencesFolder: string;
}

/** What rebuilds work with in this process. */
export function rebuildEnvironment({
  stores,
  metrics,
  differencesFolder,
}: RebuildPart): RebuildEnvironment {
  const { rebuilds, generations, comparisons, snapshots, log, deadLetters, codec, board } = stores;
  const { shadowStore: readModels, secondStore } = stores;
  return {
    rebuilds,
    generations,
    comparisons,
    snapshots,
    readModels,
    log,
    deadLetters,
    codec,
    clock: systemClock,
    random: new SystemRandom(),
    metrics,
    instance: instanceName,
    codeVersion: refoldVersion(),
    isWorkedOn: workedOnByBoard({ board, clock: systemClock, silentMs: staleAfterMs }),
    openDifferences: differenceFiles(differencesFolder, () => systemClock.nowMs()),
    ...(secondStore === undefined ? {} : { secondStore }),
  };
}

/** Below the data folder, or the working directory where the database is somewhere else. */
export const differencesIn = ({ databaseUrl, dataFolder }: DatabasePlace): string =>
  databaseUrl === undefined ? join(dataFolder, "rebuilds") : resolve("refold-rebuilds");

/** Conducts rebuilds of a projection until the signal aborts; see `Conductor.conduct`. */
export function conductorOf(
  environment: RebuildEnvironment,
  projection: AnyProjection,
): (id: bigint, signal: AbortSignal) => Promise<RebuildRecord | undefined> {
  return (id, signal) => new Conductor({ environment, projection }).conduct(id, signal);
}

export interface Rebuilding {
  readonly newVersions: NewVersions;
  /** Where differing rows are written down. */
  readonly differencesFolder: string;
}

/** As the command line and the environment have it. */
export const rebuildingOf = (place: Place): Rebuilding => ({
  newVersions: place.newVersions,
  differencesFolder: differencesIn(place),
});

export const defaultRebuilding: Rebuilding = {
  newVersions: "auto",
  differencesFolder: resolve("refold-rebuilds"),
};

export interface RebuildDeskPart extends RebuildPart, Rebuilding {
  /** What this process has the code of. */
  readonly projections: readonly AnyProjection[];
  readonly report: (message: string) => void;
}

/**
 * Conducts what nobody conducts, and removes what nobody needs, until it is disposed of: leases are
 * given back then.
 */
export function startRebuildDesk(part: RebuildDeskPart): AsyncDisposable {
  const { projections, newVersions, report } = part;
  const ending = new AbortController();
  const tell = (error: unknown): void => {
    report(`Rebuilds: ${error instanceof Error ? error.message : String(error)}`);
  };
  const environment = rebuildEnvironment(part);
  const desk = new RebuildDesk({ environment, projections, newVersions, onFailure: tell });
  const done = desk.run(ending.signal).catch(tell);
  return {
    [Symbol.asyncDispose]: () => {
      ending.abort();
      return done;
    },
  };
}
