import { Client } from "pg";

import type { MeasuredInstance } from "./_instance.ts";
import { endedChildrenSeconds, parentOf, processSeconds, treeSeconds } from "./_processor-time.ts";

/** By their ids. */
export interface Processes {
  /** A server of its own is its child. */
  readonly instance: number;
  readonly postmaster: number;
  readonly postgres: "in the instance" | "elsewhere";
}

/** The backend lives as long as its connection: its parent is looked up before that is closed. */
export async function processesOf({ databaseUrl, pid }: MeasuredInstance): Promise<Processes> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  const postmaster = parentOf(rows[0]?.pid ?? 0) ?? 0;
  await client.end();
  const postgres = parentOf(postmaster) === pid ? "in the instance" : "elsewhere";
  return { instance: pid, postmaster, postgres };
}

/** Processor seconds, by who has used them; NaN where it can't be told. */
export interface Used {
  readonly atMs: number;
  readonly by: Readonly<Record<"instance" | "Postgres" | "commands" | "benchmark", number>>;
}

/** Commands count when they have ended. */
export function usedBy({ instance, postmaster, postgres }: Processes): Used {
  const of = (seconds: number | undefined): number => seconds ?? Number.NaN;
  const server = of(treeSeconds(postmaster));
  const all = of(treeSeconds(instance));
  return {
    atMs: performance.now(),
    by: {
      instance: postgres === "elsewhere" ? all : all - server,
      Postgres: server,
      commands: of(endedChildrenSeconds()),
      benchmark: of(processSeconds(process.pid)),
    },
  };
}

/** In cores, for people. */
export function usedText(from: Used, to: Used): string {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const names = Object.keys(to.by) as (keyof Used["by"])[];
  const cores = names.map(
    (name) => `${name} ${((to.by[name] - from.by[name]) / seconds).toFixed(2)}`,
  );
  return `cores: ${cores.join(", ")}`;
}
