import { Client } from "pg";

import {
  holdFolder,
  inUse,
  openFolder,
  untilAnnounced,
  type HeldFolder,
} from "../stack/data-folder/data-folder.ts";
import type { Instance } from "../stack/data-folder/instance-file.ts";
import { DiskRoom } from "../stack/data-folder/disk-room.ts";
import { SupervisedPostgres } from "../stack/postgres/supervised-postgres.ts";
import { CommandFailure } from "./command-failure.ts";
import type { DatabasePlace } from "./environment.ts";
import { StopInTurn } from "./stop-in-turn.ts";
import { reportToTerminal } from "./terminal.ts";

/** How long a command waits for the database of an instance that is just starting. */
const announceTimeoutMs = 30_000;

/** The last checkpoint of a server that had much to do takes its time. */
const serverStopTimeoutMs = 35_000;

/**
 * A database that a command may use until it disposes of it.
 *
 * - `own`: we hold the data folder and its server; nothing else runs on it.
 * - `joined`: another process holds the folder, and this is its server.
 * - `external`: the user's (DATABASE_URL); whether something runs on it, only its tables tell.
 */
export type Database = AsyncDisposable & {
  readonly url: string;
} & (
    | {
        readonly kind: "own";
        readonly folder: HeldFolder;
        /** How much room the folder's disk has. */
        readonly room: DiskRoom;
        /** Resolves when the server has ended and could not be kept running. */
        readonly failed: Promise<Error>;
        /** Cuts the server's power, for a process that ends at once. */
        readonly abandon: () => void;
      }
    | { readonly kind: "joined"; readonly instance: Instance }
    | { readonly kind: "external" }
  );

/** May others work on it? Who holds the folder's lock knows that whoever did before is dead. */
export const othersOn = (database: Database): "none" | "possible" =>
  database.kind === "own" ? "none" : "possible";

export interface OpenDatabaseOptions {
  readonly place: DatabasePlace;
  /** Named in the instance file. */
  readonly command: string;
  readonly missing: "make" | "refuse";
  /** What to do when another process holds the folder. */
  readonly whenHeld: "join" | "refuse";
}

/** Finds the database of a command, starting the data folder's own where nothing runs. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { place, command, missing } = options;
  if (place.databaseUrl !== undefined) return external(place.databaseUrl);
  const folder = { path: place.dataFolder, command, missing };
  if (options.whenHeld === "refuse") return startServer(await holdFolder(folder));
  const use = await openFolder(folder);
  if (use.kind === "held") return startServer(use.folder);
  const instance = await untilAnnounced(place.dataFolder, announceTimeoutMs);
  return { kind: "joined", url: instance.databaseUrl, instance, ...nothingToClose };
}

/** Refuses a folder that is held by a command which runs no processors (`status`, say). */
export function assertRunsSystem(place: DatabasePlace, instance: Instance): void {
  if (instance.command !== "start") throw inUse(place.dataFolder, instance);
}

const nothingToClose = { [Symbol.asyncDispose]: () => Promise.resolve() };

async function external(url: string): Promise<Database> {
  assertUrl(url);
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => undefined);
  }
  return { kind: "external", url, ...nothingToClose };
}

function assertUrl(url: string): void {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return;
  throw new CommandFailure(
    "usage",
    "The database URL is none of Postgres: give one like postgresql://user:password@host:5432/name.",
  );
}

async function startServer(folder: HeldFolder): Promise<Database> {
  const report = reportToTerminal;
  const stop = new StopInTurn(report);
  stop.add("data folder", () => folder[Symbol.asyncDispose]());
  try {
    const room = await DiskRoom.watch({ folder: folder.path, report });
    stop.add("watch of the disk", () => room[Symbol.asyncDispose]());
    const server = await SupervisedPostgres.start({ folder: folder.path, room, report });
    stop.add("database", () => server.stop(), serverStopTimeoutMs);
    await folder.announce({ databaseUrl: server.url });
    return {
      kind: "own",
      url: server.url,
      folder,
      room,
      failed: server.failed,
      abandon: () => server.abandon(),
      [Symbol.asyncDispose]: () => stop[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stop[Symbol.asyncDispose]();
    throw error;
  }
}
