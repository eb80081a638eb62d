import type { AnyProjection } from "../../engine/projection.ts";
import { noMetrics } from "../../engine/ports/metrics.ts";
import { openDatabase, othersOn } from "../database.ts";
import { type Place, placeOf, type PlaceOptions } from "../environment.ts";
import { reportToTerminal } from "../terminal.ts";
import { application } from "./definitions.ts";
import { openStores, type Stores } from "./stores.ts";

/** The stores of a command beside the running system, and where their database is. */
export type Connected = Stores & {
  readonly url: string;
  readonly place: Place;
  /** `none`: nothing else runs on the database, and while this command does, nothing else can. */
  readonly others: "none" | "possible";
};

export interface ConnectOptions {
  /** Default: `require`. */
  readonly schema?: "migrate" | "require";
  /** What is written or compared in the stores that only some projections have (default: none). */
  readonly projections?: readonly AnyProjection[];
}

/** Opens the stores on the database that is found or started. */
export async function connect(
  name: string,
  options: PlaceOptions,
  { schema = "require", projections = [] }: ConnectOptions = {},
): Promise<Connected> {
  const place = placeOf(options);
  const database = await openDatabase({
    place,
    command: name,
    missing: "refuse",
    whenHeld: "join",
  });
  try {
    const stores = await openStores({
      url: database.url,
      servers: place.servers,
      migrations: application.migrations,
      name,
      metrics: noMetrics,
      schema,
      projections,
      others: "possible",
      report: reportToTerminal,
    });
    return {
      ...stores,
      url: database.url,
      place,
      others: othersOn(database),
      [Symbol.asyncDispose]: async () => {
        await stores[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}
