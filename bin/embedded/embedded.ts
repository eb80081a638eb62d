import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";

import { Decider } from "../../engine/decision/decider.ts";
import type { CommandCall } from "../../engine/decision/definition.ts";
import type { CommandResult, Origin } from "../../engine/decision/outcome.ts";
import type { EffectPerformer } from "../../engine/effect.ts";
import { type SharedByDeciders, sharedByDeciders } from "../../engine/decision/shared.ts";
import type { Columns, RowOf } from "../../engine/columns.ts";
import type { FindRows, ReadModelReader } from "../../engine/ports/read-model-reader.ts";
import type { Rebuilds, RebuildStart } from "../../engine/ports/rebuilds.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import type { Tracer } from "../../engine/ports/tracing.ts";
import { rebuildRequest } from "../../api/rebuilds/request.ts";
import { openDatabase, othersOn, type Database } from "../database.ts";
import type { Servers } from "../servers.ts";
import { StopInTurn } from "../stop-in-turn.ts";
import { openSystem } from "../system.ts";
import { systemClock, SystemRandom } from "../system-clock.ts";
import { untilCaughtUp, type Follower } from "../system/caught-up.ts";
import { startHousekeeping } from "../system/chores.ts";
import type { Definitions } from "../system/definitions.ts";
import { defaultRebuilding, type Rebuilding } from "../system/rebuilds.ts";
import { openStores, type Stores } from "../system/stores.ts";
import { processTracer } from "../system/tracer.ts";
import { reportToTerminal } from "../terminal.ts";
import { definitionsOf, type EmbeddedOptions, serversOfOptions } from "./options.ts";

/** A projection as far as a reader of its rows needs it. */
interface Readable<C extends Columns> {
  readonly name: string;
  readonly row: C;
}

/** How long followers may stand still before `settled` gives up. */
const patienceMs = 15_000;
const stopTimeoutMs = 25_000;

/**
 * Somebody's own domain on the embedded default: Postgres in a data folder, event store, capture,
 * record log, registry, and the definitions at work, all in this process.
 */
export class Embedded implements AsyncDisposable {
  /** Connection URL of the database, for tables of one's own and for looking. */
  readonly databaseUrl: string;
  readonly reader: ReadModelReader;
  /** Rebuilds, to be looked at and steered. */
  readonly rebuilds: Rebuilds;
  readonly #stores: Stores;
  readonly #decider: Decider;
  readonly #followers: readonly Follower[];
  readonly #stop: StopInTurn;

  private constructor(
    databaseUrl: string,
    stores: Stores,
    { followers, stop, deciding, tracer }: EmbeddedParts,
  ) {
    this.databaseUrl = databaseUrl;
    this.reader = stores.reader;
    this.rebuilds = stores.rebuilds;
    this.#stores = stores;
    this.#followers = followers;
    this.#stop = stop;
    const { eventStore, codec } = stores;
    const ports = { random: new SystemRandom(), clock: systemClock, metrics: noMetrics };
    this.#decider = new Decider({ eventStore, codec, ...ports, tracer, ...deciding });
  }

  /**
   * Starts everything; resolves when commands are taken.
   *
   * @throws DataFolderError when another process holds the folder, or it is broken; TypeError for an
   * option that can't be used; FatalError `redis-evicts` where Redis may throw rows away.
   */
  static async start(options: EmbeddedOptions): Promise<Embedded> {
    const report = options.report ?? reportToTerminal;
    const servers = serversOfOptions(options);
    const stop = new StopInTurn(report);
    try {
      const database = await openDatabase({
        place: { databaseUrl: undefined, dataFolder: resolve(options.folder) },
        command: "embedded",
        missing: "make",
        whenHeld: "refuse",
      });
      stop.add("database", () => database[Symbol.asyncDispose]());
      const definitions = definitionsOf(options);
      const rebuilding = {
        newVersions: options.newVersions ?? defaultRebuilding.newVersions,
        differencesFolder: join(resolve(options.folder), "rebuilds"),
      };
      const deciding = sharedByDeciders();
      const { performers = [], tracer = processTracer() } = options;
      const part = { report, servers, stop, rebuilding, performers, deciding, tracer };
      const stores = await startOn(database, definitions, part);
      const followers = followersOf(definitions, stores);
      return new Embedded(database.url, stores, { followers, stop, deciding, tracer });
    } catch (error) {
      await stop[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Decides a command and records what it lets happen. A refusal is a result, not an error. */
  execute<Answer>(
    call: CommandCall<Answer>,
    origin: Partial<Origin> = {},
  ): Promise<CommandResult<Answer>> {
    return this.#decider.execute(call, { correlationId: randomUUID(), ...origin });
  }

  /** A row of a projection's serving generation, by its key. */
  async row<C extends Columns>(of: Readable<C>, key: string): Promise<RowOf<C> | undefined> {
    const { result } = await this.reader.get(of.name, key);
    return result as RowOf<C> | undefined;
  }

  /** Rows of a projection, the first page (100 rows unless told otherwise). */
  async rows<C extends Columns>(
    of: Readable<C>,
    query: Partial<FindRows> = {},
  ): Promise<RowOf<C>[]> {
    const { result } = await this.reader.find(of.name, { limit: 100, ...query });
    return result.rows.map(({ row }) => row as RowOf<C>);
  }

  /**
   * Resolves when projections and processors have applied every event of the store, those that
   * processors append meanwhile included.
   *
   * @throws TransientError `behind` when one of them stands still.
   */
  settled(signal: AbortSignal = new AbortController().signal): Promise<void> {
    const { eventStore } = this.#stores;
    const followers = this.#followers;
    return untilCaughtUp({ eventStore, followers, clock: systemClock, signal, patienceMs });
  }

  /**
   * Asks for a rebuild of a projection: its rows are made anew beside what serves, compared, and
   * swapped in when they are equal, or when differences are accepted. `rebuilds` tells how it goes.
   */
  rebuild(
    { name, version }: { readonly name: string; readonly version: number },
    { accept, reason }: { readonly accept?: boolean; readonly reason?: string } = {},
  ): Promise<RebuildStart> {
    const from = { kind: "earliest" } as const;
    const asked = { projection: name, version, from, accept, by: "embedded", reason };
    return this.rebuilds.start(rebuildRequest(asked));
  }

  /** Drains what is in flight, then stops the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop[Symbol.asyncDispose]();
  }
}

interface EmbeddedParts {
  readonly followers: readonly Follower[];
  readonly stop: StopInTurn;
  readonly deciding: SharedByDeciders;
  readonly tracer: Tracer;
}

interface StartPart {
  readonly report: (message: string) => void;
  readonly servers: Servers;
  readonly stop: StopInTurn;
  readonly rebuilding: Rebuilding;
  readonly performers: readonly EffectPerformer[];
  readonly deciding: SharedByDeciders;
  readonly tracer: Tracer;
}

async function startOn(
  database: Database,
  definitions: Definitions,
  { servers, stop, ...part }: StartPart,
): Promise<Stores> {
  const { url } = database;
  const { migrations, projections } = definitions;
  const { report } = part;
  const common = { url, metrics: noMetrics, report };
  const stores = await openStores({
    ...common,
    servers,
    migrations,
    projections,
    name: "embedded",
    schema: "migrate",
    others: othersOn(database),
  });
  stop.add("stores", () => stores[Symbol.asyncDispose]());
  const roles = new Set(["capture", "consumers"] as const);
  const system = await openSystem({ ...common, ...part, definitions, stores, roles });
  stop.add("engine", () => system[Symbol.asyncDispose](), stopTimeoutMs);
  // Whoever runs this process decides what becomes of it.
  void system.consumers?.failed.then(({ message }) => report(message));
  const chores = startHousekeeping({ stores, definitions, report });
  stop.add("housekeeping", () => chores[Symbol.asyncDispose]());
  return stores;
}

function followersOf(
  { projections, processors }: Definitions,
  { reader, processorStore }: Stores,
): Follower[] {
  const topicsOf = (one: Definitions["projections" | "processors"][number]): string[] =>
    one.kind === "events" ? one.from.map(({ name }) => name) : [];
  return [
    ...projections.map((one) => ({
      name: one.name,
      topics: topicsOf(one),
      positions: () => reader.positions(one.name),
    })),
    ...processors.map((one) => ({
      name: one.name,
      topics: topicsOf(one),
      positions: () => processorStore.positions(one.name),
    })),
  ];
}
