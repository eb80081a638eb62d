import type { ReadModelReader, ReadPosition } from "../ports/read-model-reader.ts";
import type { StoredEvent } from "../ports/event-store.ts";
import type { AnyProjection, ErasedEventProjection } from "../projection.ts";
import { FatalError } from "../errors.ts";
import type { ReadEvent } from "./read-events.ts";

/** A row of a read model that an event has a part in. */
export interface TracedRow {
  readonly projection: string;
  readonly key: string;
  /**
   * `applied`: the generation that serves has it. `waiting`: it has not come to it yet (behind, or
   * the key is parked behind a dead letter). `unbuilt`: nothing serves.
   */
  readonly state: "applied" | "waiting" | "unbuilt";
}

/** Tells which rows events make, and whether they are there yet. */
export class RowTracer {
  readonly #reader: Pick<ReadModelReader, "positions">;
  readonly #projections: readonly ErasedEventProjection[];
  readonly #positions = new Map<string, readonly ReadPosition[] | undefined>();

  constructor(reader: Pick<ReadModelReader, "positions">, projections: readonly AnyProjection[]) {
    this.#reader = reader;
    this.#projections = projections.filter((one) => one.kind === "events");
  }

  async rowsOf(event: ReadEvent): Promise<TracedRow[]> {
    const rows: TracedRow[] = [];
    for (const projection of this.#projections) {
      const key = rowKeyOf(projection, event);
      if (key === undefined) continue;
      const state = stateOf(await this.#positionsOf(projection.name), event.stored);
      rows.push({ projection: projection.name, key, state });
    }
    return rows;
  }

  async #positionsOf(projection: string): Promise<readonly ReadPosition[] | undefined> {
    if (!this.#positions.has(projection)) {
      this.#positions.set(projection, await this.#read(projection));
    }
    return this.#positions.get(projection);
  }

  async #read(projection: string): Promise<readonly ReadPosition[] | undefined> {
    try {
      return await this.#reader.positions(projection);
    } catch (error) {
      if (error instanceof FatalError && error.code === "no-generation") return undefined;
      throw error;
    }
  }
}

/** undefined: the event doesn't concern the projection. */
export function rowKeyOf(
  { from, on, key }: ErasedEventProjection,
  { stored, name, fields }: ReadEvent,
): string | undefined {
  if (fields === undefined || !from.some((topic) => topic.name === stored.topic)) return undefined;
  const fold = on[name];
  if (fold === undefined || fold === "ignore") return undefined;
  const found =
    typeof key === "string" ? (fields as Record<string, unknown>)[key] : keyBy(key, fields);
  return typeof found === "string" ? found : undefined;
}

/** A key function that throws parks its record: there is no row to tell of. */
function keyBy(key: (event: never) => string | undefined, fields: unknown): string | undefined {
  try {
    return key(fields as never);
  } catch {
    return undefined;
  }
}

function stateOf(
  positions: readonly ReadPosition[] | undefined,
  { topic, partition, sequence, incarnation }: StoredEvent,
): TracedRow["state"] {
  if (positions === undefined) return "unbuilt";
  const at = positions.find((one) => one.topic === topic && one.partition === partition);
  const source = at?.position.source;
  if (source?.kind !== "lane" || source.incarnation !== incarnation) return "waiting";
  return source.nextSequence > sequence ? "applied" : "waiting";
}
