import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Redis } from "ioredis";

export interface RedisServerOptions {
  /** The folder of a server that was stopped before; default: a new one, removed in the end. */
  readonly folder?: string;
  /** The port of one that was stopped before; default: a free one. */
  readonly port?: number;
  /** Lines of redis.conf, by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A Redis of a test's own, which it may empty, pause, kill and start again. */
export class RedisServer implements AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly port: number;
  readonly process: ChildProcess;

  constructor(given: { folder: string; port: number; process: ChildProcess }) {
    this.folder = given.folder;
    this.port = given.port;
    this.process = given.process;
    this.url = `redis://127.0.0.1:${given.port}`;
  }

  /** Commands on a connection of their own. */
  async with<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    const redis = new Redis(this.url, { retryStrategy: () => null, lazyConnect: true });
    redis.on("error", () => undefined);
    await redis.connect();
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** SIGKILL, or SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends it at once; its folder stays. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Starts Debian's redis-server (or another on the path) on a port of 127.0.0.1, without
 * persistence unless the settings say so.
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "refold-redis-")));
  const port = options.port ?? (await freePort());
  const settings = {
    bind: "127.0.0.1",
    port: String(port),
    dir: folder,
    save: "",
    appendonly: "no",
    "enable-debug-command": "local",
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const process = spawn("redis-server", args, { stdio: "ignore" });
  const failed = once(process, "error").then(([error]: unknown[]) => {
    throw new Error("redis-server can't be started: install it (apt-get install redis-server).", {
      cause: error,
    });
  });
  const server = new RedisServer({ folder, port, process });
  await Promise.race([answers(server), failed]);
  return server;
}

async function answers(server: RedisServer): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    try {
      await server.with((redis) => redis.ping());
      return;
    } catch (error) {
      if (Date.now() > deadlineMs || server.process.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}
