import { present, type Tuple } from "../pgoutput/tuple.ts";
import type { Emit, PlacedChange, Route } from "../routing/change.ts";
import type { TableRoute } from "../routing/table-route.ts";
import type { Mark } from "./mark.ts";

/** Who hears of changed rows and of signals. */
export interface Watcher {
  /** Does anybody need to know which rows change? */
  readonly watches: boolean;
  touched(table: string, key: Buffer | null): void;
  signal(id: string, about: { type: string; data: string | undefined }, at: Mark): void;
  unsignal(id: string, at: Mark): void;
}

/** A captured table's route; incremental snapshots are told of each row that changes. */
export class WatchedRoute implements Route {
  readonly #name: string;
  readonly #route: TableRoute;
  readonly #snapshot: Watcher;

  constructor(name: string, route: TableRoute, snapshot: Watcher) {
    this.#name = name;
    this.#route = route;
    this.#snapshot = snapshot;
  }

  route(placed: PlacedChange, emit: Emit): Promise<void> | undefined {
    if (this.#snapshot.watches) this.#watch(placed);
    return this.#route.route(placed, emit);
  }

  #watch({ change }: PlacedChange): void {
    if (change.kind === "insert" || change.kind === "update") this.#touched(change.row);
    if (change.kind === "remove") this.#touched(change.old.row);
    if (change.kind === "update" && change.old) this.#touched(change.old.row);
  }

  #touched(row: Tuple): void {
    this.#snapshot.touched(this.#name, this.#route.keyOf(row));
  }
}

/** The signal table's route: its rows are read as signals, and told like any other's. */
export class SignalRoute implements Route {
  readonly #route: Route;
  readonly #snapshot: Watcher;

  constructor(route: Route, snapshot: Watcher) {
    this.#route = route;
    this.#snapshot = snapshot;
  }

  route(placed: PlacedChange, emit: Emit): Promise<void> | undefined {
    const { change } = placed;
    const told = { placed, emit };
    if (change.kind === "insert") {
      const [id = "", type = "", data] = signalOf(change.row);
      this.#snapshot.signal(id, { type, data }, told);
    }
    if (change.kind === "remove") this.#snapshot.unsignal(textAt(change.old.row, 0) ?? "", told);
    return this.#route.route(placed, emit);
  }
}

/** Id, type and data are its first columns, whatever their names. */
function signalOf(row: Tuple): (string | undefined)[] {
  return [0, 1, 2].map((at) => textAt(row, at));
}

function textAt(row: Tuple, at: number): string | undefined {
  return at < row.count && row.kind[at] === present ? row.text(at) : undefined;
}
