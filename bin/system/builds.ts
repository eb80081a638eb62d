import type { Pool } from "pg";

import {
  PostgresComparisons,
  PostgresDrifts,
  PostgresGenerations,
  PostgresRebuilds,
  PostgresSnapshots,
} from "../../connectors/postgres/index.ts";
import type { Comparisons } from "../../engine/ports/comparisons.ts";
import type { Drifts } from "../../engine/ports/drifts.ts";
import type { Generations } from "../../engine/ports/generations.ts";
import type { Rebuilds } from "../../engine/ports/rebuilds.ts";
import type { Snapshots } from "../../engine/ports/snapshots.ts";

/** Where the builds of read models are written down, compared and copied. */
export interface Builds {
  readonly generations: Generations;
  readonly rebuilds: Rebuilds;
  readonly snapshots: Snapshots;
  readonly comparisons: Comparisons;
  readonly drifts: Drifts;
}

export interface BuildsPart {
  readonly pool: Pool;
  /** Of the database, to listen for changes. */
  readonly url: string;
}

export function openBuilds({ pool, url }: BuildsPart): Builds {
  return {
    generations: new PostgresGenerations({ pool, listenUrl: url }),
    rebuilds: new PostgresRebuilds({ pool }),
    snapshots: new PostgresSnapshots({ pool }),
    comparisons: new PostgresComparisons({ pool }),
    drifts: new PostgresDrifts({ pool }),
  };
}
