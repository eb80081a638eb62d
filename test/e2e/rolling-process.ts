import { definitionsOf } from "../../bin/embedded/options.ts";
import { openSystem } from "../../bin/system.ts";
import { defaultRebuilding } from "../../bin/system/rebuilds.ts";
import { openStores } from "../../bin/system/stores.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { nextVersion } from "./next-version.ts";

/**
 * A worker with the code of one version, as a process of its own that answers queries:
 *
 *     node rolling-process.ts <database URL> <old|new>
 */
const [, , url = "", code] = process.argv;

export interface Asked {
  readonly id: number;
  /** undefined: all rows. */
  readonly key: string | undefined;
}

export interface Told {
  readonly id: number;
  readonly generation: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Why there is no answer. */
  readonly failure?: string;
}

const projections = [code === "new" ? nextVersion : seatAvailability];
const definitions = definitionsOf({ folder: "", projections });
const report = (message: string): void => void process.stderr.write(`${code}: ${message}\n`);
const common = { url, metrics: noMetrics, report };
const stores = await openStores({
  ...common,
  migrations: definitions.migrations,
  projections,
  name: `${code} worker`,
  schema: "migrate",
  others: "possible",
});
const system = await openSystem({
  ...common,
  definitions,
  stores,
  roles: new Set(["consumers"]),
  rebuilding: defaultRebuilding,
});

async function answer({ id, key }: Asked): Promise<Told> {
  const { name } = seatAvailability;
  try {
    if (key !== undefined) {
      const { generation, result } = await stores.reader.get(name, key);
      return { id, generation, rows: result === undefined ? [] : [result] };
    }
    const { generation, result } = await stores.reader.find(name, { limit: 100 });
    return { id, generation, rows: result.rows.map(({ row }) => row) };
  } catch (error) {
    return { id, generation: 0, rows: [], failure: String(error) };
  }
}

process.on("message", (asked: Asked) => {
  void answer(asked).then((told) => process.send?.(told));
});
process.once("SIGTERM", () => {
  void system[Symbol.asyncDispose]()
    .then(() => stores[Symbol.asyncDispose]())
    .then(() => process.disconnect());
});
process.send?.("ready");
