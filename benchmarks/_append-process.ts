/**
 * A process that appends beside others: it connects and warms up when it is told its load, and
 * begins when it is told to.
 */
import { once } from "node:events";

import { makePool } from "../connectors/postgres/pool.ts";
import { append, type AppendLoad, type Appended } from "./_append-load.ts";

export interface ProcessLoad extends AppendLoad {
  readonly url: string;
}

export interface ProcessAppended extends Appended {
  readonly nodeSeconds: number;
}

const said = async (): Promise<unknown> => ((await once(process, "message")) as unknown[])[0];

async function appendWhenTold(): Promise<void> {
  const load = (await said()) as ProcessLoad;
  const pool = makePool({ url: load.url, name: "bench", connectionsMax: 4 });
  try {
    const warm = { round: `${load.round}-warm`, requests: 2_000, waiting: 1_000 };
    await append(pool, { ...load, ...warm });
    process.send?.("ready");
    await said();
    const before = process.cpuUsage();
    const appended = await append(pool, load);
    const { user, system } = process.cpuUsage(before);
    process.send?.({ ...appended, nodeSeconds: (user + system) / 1_000_000 });
  } finally {
    await pool.end();
  }
}

await appendWhenTold();
process.disconnect();
