import type { Drift } from "../../engine/ports/drifts.ts";
import type { GenerationInfo, GenerationRole } from "../../engine/ports/generations.ts";
import type { RebuildRecord } from "../../engine/ports/rebuilds.ts";
import { recordsPerSecondOf, secondsLeft } from "../rebuild/progress-text.ts";

/** What is written down about the builds of read models. */
export interface BuildFacts {
  readonly generations: readonly GenerationInfo[];
  /** Open ones. */
  readonly rebuilds: readonly RebuildRecord[];
  readonly drifts: readonly Drift[];
}

export interface GenerationStatus {
  readonly projection: string;
  readonly generation: number;
  readonly version: number;
  readonly role: GenerationRole;
  readonly createdAt: string;
  /** Of a kept one: the end of the undo window. */
  readonly keptUntil: string | null;
  /** The rebuild that made it; null: the first one. */
  readonly rebuild: string | null;
}

export interface RebuildStatus {
  readonly id: string;
  readonly projection: string;
  readonly version: number;
  readonly state: RebuildRecord["state"];
  readonly wish: RebuildRecord["wish"];
  readonly shadow: number | null;
  readonly conductor: string | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly recordsPerSecond: number | null;
  /** Until it has read what there is now; null where that can't be told. */
  readonly secondsLeft: number | null;
  readonly waiting: string | null;
}

export interface DriftStatus {
  readonly projection: string;
  readonly generation: number;
  readonly key: string;
  readonly kind: Drift["kind"];
  readonly fields: readonly string[];
  readonly foundAt: string;
}

export interface BuildsStatus {
  readonly generations: readonly GenerationStatus[];
  readonly rebuilds: readonly RebuildStatus[];
  readonly drift: readonly DriftStatus[];
}

export const buildsStatus = ({
  generations = [],
  rebuilds = [],
  drifts = [],
}: Partial<BuildFacts> = {}): BuildsStatus => ({
  generations: generations.map(generationStatus),
  rebuilds: rebuilds.map(rebuildStatus),
  drift: drifts.map(({ foundAtMs, fields, ...of }) => ({
    ...of,
    fields: [...fields],
    foundAt: iso(foundAtMs),
  })),
});

function generationStatus(info: GenerationInfo): GenerationStatus {
  const { projection, generation, version, role, createdAtMs, keptUntilMs, rebuild } = info;
  return {
    projection,
    generation,
    version,
    role,
    createdAt: iso(createdAtMs),
    keptUntil: keptUntilMs === undefined ? null : iso(keptUntilMs),
    rebuild: rebuild === undefined ? null : String(rebuild),
  };
}

function rebuildStatus(record: RebuildRecord): RebuildStatus {
  const { id, request, state, wish, shadow, conductor, progress } = record;
  const now = progress && { ...progress, recordsPerSecond: recordsPerSecondOf(record) };
  return {
    id: String(id),
    projection: request.projection,
    version: request.version,
    state,
    wish,
    shadow: shadow ?? null,
    conductor: conductor ?? null,
    done: progress?.done ?? null,
    total: progress?.total ?? null,
    recordsPerSecond: now?.recordsPerSecond ?? null,
    secondsLeft: secondsLeft({ progress: now }) ?? null,
    waiting: progress?.waiting ?? null,
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
