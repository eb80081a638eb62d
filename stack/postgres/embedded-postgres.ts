import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { serverAccount } from "./account.ts";
import { findPostgresBinaries } from "./binaries.ts";
import { answers, urlOf } from "./connection.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { assertUsable, initialise, readPassword } from "./initialise.ts";
import { launch, untilAnswering } from "./launch.ts";
import {
  isAlive,
  readPostmaster,
  stopPostmaster,
  type Postmaster,
  type StopMode,
} from "./postmaster.ts";
import { settingsFor } from "./settings.ts";

export { EmbeddedPostgresError } from "./errors.ts";
export type { StopMode } from "./postmaster.ts";

export interface EmbeddedPostgresOptions {
  /** The folder that holds the server's files (`postgres/`), its password and its log. */
  readonly folder: string;
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port?: number;
  /** Settings of postgresql.conf, over the defaults below. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly startTimeoutMs?: number;
  /** What to do where there is no server's data yet (default: make it). */
  readonly missing?: "make" | "refuse";
}

/** A Postgres server of our own, on loopback, with a password that only this folder knows. */
export interface EmbeddedPostgres {
  /** Connection URL of the database `refold`. */
  readonly url: string;
  readonly port: number;
  /** Process id of the postmaster. */
  readonly pid: number;
  /** True when a server that an earlier process left behind was taken over. */
  readonly adopted: boolean;
  /** `fast` ends sessions and writes a checkpoint; `immediate` is a power cut. */
  stop(mode?: StopMode): Promise<void>;
  /** Cuts its power without waiting: for a process that ends at once. */
  abandon(): void;
}

const memoryInUse = /pre-existing shared memory block/;
const memoryRetryMs = 100;

/**
 * Starts the server of a folder, making it first where there is none. A server that a killed
 * process left running on the folder is taken over when it answers, and stopped when it doesn't.
 *
 * @throws EmbeddedPostgresError when the folder is not a usable data folder or the server ends
 * before it answers.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const data = join(options.folder, "postgres");
  const account = await serverAccount();
  const binaries = await findPostgresBinaries();
  await mkdir(options.folder, { recursive: true });
  const make = !existsSync(data) && options.missing !== "refuse";
  if (make) await initialise(options.folder, { data, account, binaries });
  await assertUsable(data);
  const password = await readPassword(options.folder);
  const left = await readPostmaster(data);
  if (left) {
    const taken = await adopt(left, password);
    if (taken) return running(data, { ...left, password, adopted: true });
    await stopPostmaster(data, left.pid, "immediate");
  }
  const port = options.port || (await freePort());
  const given = { ...options.settings, port: String(port) };
  const settings = await settingsFor(options.folder, given);
  const place = { data, account, binaries, settings };
  const timeoutMs = options.startTimeoutMs ?? 60_000;
  const pid = await started(options.folder, place, { port, password, timeoutMs });
  return running(data, { pid, port, password, adopted: false });
}

interface Entry {
  readonly port: number;
  readonly password: string;
  readonly timeoutMs: number;
}

/**
 * Processes of a server that was killed hold its memory for a moment longer, and the next one
 * refuses to start beside them: it is tried again until they are gone.
 */
async function started(
  folder: string,
  place: Parameters<typeof launch>[1],
  entry: Entry,
): Promise<number> {
  const deadline = performance.now() + entry.timeoutMs;
  for (;;) {
    const child = await launch(folder, place);
    try {
      await untilAnswering(child, { ...entry, folder });
      return child.pid ?? 0;
    } catch (error) {
      const passing = error instanceof EmbeddedPostgresError && memoryInUse.test(error.message);
      if (!passing || performance.now() > deadline) throw error;
      await delay(memoryRetryMs);
    }
  }
}

async function adopt(left: Postmaster, password: string): Promise<boolean> {
  if (!(left.port > 0)) return false;
  return answers(urlOf(left.port, password));
}

function running(
  data: string,
  server: Postmaster & { password: string; adopted: boolean },
): EmbeddedPostgres {
  return {
    url: urlOf(server.port, server.password),
    port: server.port,
    pid: server.pid,
    adopted: server.adopted,
    stop: (mode = "fast") => stopPostmaster(data, server.pid, mode),
    abandon: () => {
      if (isAlive(server.pid)) process.kill(server.pid, "SIGQUIT");
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
