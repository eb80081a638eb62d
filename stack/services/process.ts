import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { ServiceError, type Service } from "./service.ts";

export interface ServerProcess {
  readonly name: string;
  readonly url: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Gets `<name>.log`. */
  readonly folder: string;
  /** Asked until it says yes; what it throws counts as no. */
  readonly isReady: () => Promise<boolean>;
  readonly startTimeoutMs: number;
  /** Account to run as, where it isn't our own. */
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Asks for an orderly end. */
  readonly stopSignal?: NodeJS.Signals;
}

const stopTimeoutMs = 15_000;
const logLinesTold = 15;

/**
 * Starts a server and waits until it is ready.
 *
 * @throws ServiceError with the end of its log when it ends or isn't ready in time.
 */
export async function startServer(server: ServerProcess): Promise<Service> {
  const { name, url, command, args, folder, uid, gid } = server;
  const log = join(folder, `${name}.log`);
  const output = createWriteStream(log, { flags: "a" });
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    env: { ...process.env, ...server.env },
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  child.once("close", () => output.end());
  const failure = startFailure(child);
  try {
    await Promise.race([failure, untilReady(server)]);
  } catch (cause) {
    child.kill("SIGKILL");
    throw new ServiceError(`${name} did not start: ${String(cause)}\n${await logEnd(log)}`, {
      cause,
    });
  }
  const stop = (): Promise<void> => stopChild(child, server.stopSignal ?? "SIGTERM");
  return { name, url, pid: child.pid ?? 0, stop };
}

/** Rejects when the process ends; handled from the beginning, since it may do so at any time. */
function startFailure(child: ChildProcess): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`it ended with code ${code}`)));
  });
  failure.catch(() => undefined);
  return failure;
}

async function untilReady({ isReady, startTimeoutMs }: ServerProcess): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (!(await isReady().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`not ready after ${startTimeoutMs} ms`);
    await delay(100);
  }
}

async function logEnd(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  const end = text.trimEnd().split("\n").slice(-logLinesTold).join("\n");
  return `The end of ${path}:\n${end}`;
}

async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

/** A port on loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

export async function isAnswering(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok;
}
