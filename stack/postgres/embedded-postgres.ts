import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Client } from "pg";

import { giveTo, launchAs, serverAccount, type Account } from "./account.ts";
import { findPostgresBinaries, type PostgresBinaries } from "./binaries.ts";

const database = "refold";
const user = "refold";
const passwordFile = "postgres.password";

export interface EmbeddedPostgresOptions {
  /** The folder that holds the server's files (`postgres/`), its password and its log. */
  readonly folder: string;
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port?: number;
  /** Settings of postgresql.conf, over the defaults below. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly startTimeoutMs?: number;
}

export type StopMode = "fast" | "immediate";

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

/** The server could not be started; the message says why and what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = "EmbeddedPostgresError";
}

const defaults: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  wal_level: "logical",
  max_connections: "60",
  max_wal_senders: "10",
  max_replication_slots: "10",
  shared_buffers: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "10min",
  password_encryption: "scram-sha-256",
  timezone: "UTC",
  jit: "off",
  autovacuum_naptime: "10s",
  log_min_messages: "warning",
  // 0 keeps the WAL of a lagging slot for ever; a bound would trade the promise for disk space.
  max_slot_wal_keep_size: "-1",
};

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
  if (!existsSync(data)) await initialise(options.folder, { data, account, binaries });
  await assertUsable(data);
  const password = await readPassword(options.folder);
  const left = await readPostmaster(data);
  if (left) {
    const taken = await adopt(left, password);
    if (taken) return running(data, { ...left, password, adopted: true });
    await stopPostmaster(data, left.pid, "immediate");
  }
  const port = options.port || (await freePort());
  const settings = { ...defaults, ...options.settings, port: String(port) };
  const child = await launch(options.folder, { data, account, binaries, settings });
  await untilAnswering(child, {
    port,
    password,
    folder: options.folder,
    timeoutMs: options.startTimeoutMs ?? 60_000,
  });
  return running(data, { pid: child.pid ?? 0, port, password, adopted: false });
}

interface Place {
  readonly data: string;
  readonly account: Account | undefined;
  readonly binaries: PostgresBinaries;
}

/** Initialises beside the final name and renames, so that a crash leaves no half-made folder. */
async function initialise(folder: string, place: Place): Promise<void> {
  const draft = `${place.data}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await giveTo(draft, place.account);
  const password = randomBytes(24).toString("base64url");
  const path = join(folder, passwordFile);
  await writeFile(path, password, { mode: 0o600 });
  await giveTo(path, place.account);
  const args = ["-D", draft, "-U", user, `--pwfile=${path}`, "--auth=scram-sha-256"];
  const encoding = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  const output = await runToEnd(place, place.binaries.initdb, [...args, ...encoding]);
  if (output.code !== 0) {
    throw new EmbeddedPostgresError(`Postgres could not make its data folder: ${output.text}`);
  }
  await rename(draft, place.data);
}

async function runToEnd(
  place: Place,
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; text: string }> {
  const launch = await launchAs(place.account, program, args);
  const child = spawn(launch.command, launch.args, {
    ...ids(launch),
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, text: text.trim() };
}

function ids(launch: { uid?: number; gid?: number }): { uid?: number; gid?: number } {
  return {
    ...(launch.uid === undefined ? {} : { uid: launch.uid }),
    ...(launch.gid === undefined ? {} : { gid: launch.gid }),
  };
}

async function assertUsable(data: string): Promise<void> {
  const version = await readFile(join(data, "PG_VERSION"), "utf8").catch(() => "");
  if (version.trim() === "18") return;
  const found = version.trim() === "" ? "has no PG_VERSION file" : `was made by ${version.trim()}`;
  throw new EmbeddedPostgresError(
    `${data} is not a data folder of Postgres 18 (it ${found}): restore it, or start on another folder with --data.`,
  );
}

async function readPassword(folder: string): Promise<string> {
  const path = join(folder, passwordFile);
  const password = await readFile(path, "utf8").catch(() => "");
  if (password !== "") return password;
  throw new EmbeddedPostgresError(
    `${path} is missing or empty, and without it the server can't be entered: restore it, or start on another folder with --data.`,
  );
}

interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

/** Reads postmaster.pid: its first line is the process id, its fourth the port. */
async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 0) || !isAlive(pid)) return undefined;
  return { pid, port };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function adopt(left: Postmaster, password: string): Promise<boolean> {
  if (!(left.port > 0)) return false;
  return answers(urlOf(left.port, password));
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Not yet up: nothing listens, or the server says that it is starting (57P03). */
function isStarting(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? "";
  return ["ECONNREFUSED", "ECONNRESET", "57P03"].includes(code);
}

function urlOf(port: number, password: string, name = database): string {
  return `postgresql://${user}:${password}@127.0.0.1:${port}/${name}`;
}

async function launch(
  folder: string,
  place: Place & { settings: Readonly<Record<string, string>> },
): Promise<ChildProcess> {
  const options = Object.entries(place.settings).flatMap(([key, value]) => [
    "-c",
    `${key}=${value}`,
  ]);
  const how = await launchAs(place.account, place.binaries.postgres, [
    "-D",
    place.data,
    ...options,
  ]);
  const log = await open(join(folder, "postgres.log"), "a", 0o600);
  try {
    // A group of its own: Ctrl-C in the terminal must reach us, who stop it after the drain.
    const child = spawn(how.command, how.args, {
      ...ids(how),
      cwd: place.data,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.on("error", () => undefined);
    child.unref();
    return child;
  } finally {
    await log.close();
  }
}

async function untilAnswering(
  child: ChildProcess,
  wait: { port: number; password: string; folder: string; timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + wait.timeoutMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      throw new EmbeddedPostgresError(
        `Postgres ended at its start on ${wait.folder}: ${await lastWords(wait.folder)}`,
      );
    }
    if (await makeDatabase(wait.port, wait.password)) return;
    await delay(25);
  }
  child.kill("SIGQUIT");
  throw new EmbeddedPostgresError(
    `Postgres on ${wait.folder} did not answer within ${wait.timeoutMs} ms: ${await lastWords(wait.folder)}`,
  );
}

async function lastWords(folder: string): Promise<string> {
  const log = await readFile(join(folder, "postgres.log"), "utf8").catch(() => "");
  const lines = log.trimEnd().split("\n").slice(-3).join(" / ");
  return `${lines} (whole log: ${join(folder, "postgres.log")})`;
}

async function makeDatabase(port: number, password: string): Promise<boolean> {
  const connectionString = urlOf(port, password, "postgres");
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const found = await client.query("select 1 from pg_database where datname = $1", [database]);
    if (found.rowCount === 0) await client.query(`create database ${database}`);
    return true;
  } catch (error) {
    if (isStarting(error)) return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
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

async function stopPostmaster(data: string, pid: number, mode: StopMode): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
  const deadline = performance.now() + 30_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(
        `Postgres (process ${pid}) on ${data} did not stop within 30 s.`,
      );
    }
    await delay(20);
  }
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
