import type { ConnectionOptions } from "node:tls";

import { Redis } from "ioredis";

import { FatalError } from "../../engine/errors.ts";
import { afterReading, TimedOut, within } from "./deadline.ts";
import { redisError, replyCode, type Stage } from "./redis-errors.ts";
import type { Script, ScriptCall } from "./script.ts";

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database where there are some. */
  readonly url: string;
  /** TLS settings of Node for a `rediss://`; left out: the usual ones. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "cert" | "key">;
  /** Shown in CLIENT LIST. */
  readonly name: string;
  /** How long one call may take (default 1,000). */
  readonly deadlineMs?: number;
  /**
   * How long one attempt to connect may take until the server has said that it is ready: several
   * turns of a process that may be busy (default 5,000).
   */
  readonly connectMs?: number;
  /** Longest wait between two attempts to connect (default 1,000). */
  readonly reconnectMsMax?: number;
}

/**
 * A connection that never waits long and never repeats: a call has a deadline, fails at once while
 * there is no connection, and is not sent again after a reconnect, since it may have been done.
 * Whoever was in doubt reads the stored position. Connecting goes on in the background.
 */
export class RedisConnection implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #deadlineMs: number;
  #fault: string | undefined;
  #handshakeEnds: () => void = () => undefined;

  constructor(options: RedisConnectionOptions) {
    const { url, name, tls, reconnectMsMax = 1_000, connectMs = 5_000 } = options;
    this.#deadlineMs = options.deadlineMs ?? 1_000;
    this.#redis = new Redis(url, {
      connectionName: `refold-${name.replaceAll(/[^A-Za-z0-9-]/g, "-")}`,
      connectTimeout: connectMs,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      ...(tls === undefined ? {} : { tls }),
      retryStrategy: (times) => Math.min(2 ** times * 25, reconnectMsMax),
    });
    // Without a listener each failed attempt to connect would be printed.
    this.#redis.on("error", (error) => (this.#fault = error.message));
    this.#redis.on("connect", () => this.#boundHandshake(connectMs));
    for (const over of ["ready", "close"]) this.#redis.on(over, () => this.#handshakeEnds());
  }

  /** Is there a connection now? */
  get connected(): boolean {
    return this.#redis.status === "ready";
  }

  /** Why there is no connection, as the last attempt has told; undefined while there is one. */
  get fault(): string | undefined {
    return this.connected ? undefined : this.#fault;
  }

  /** Resolves when it is connected, or after the time: then the answer is false. */
  async connectedWithin(ms: number): Promise<boolean> {
    if (this.connected) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#redis.once("ready", resolve);
    await promise;
    clearTimeout(timer);
    this.#redis.off("ready", resolve);
    return this.connected;
  }

  /**
   * One command.
   * @throws TransientError `redis-unavailable`, `outcome-unknown`; FatalError `redis-refused`.
   */
  async command<Reply>(doing: string, work: (redis: Redis) => Promise<Reply>): Promise<Reply> {
    try {
      return await within(this.#deadlineMs, work(this.#redis));
    } catch (error) {
      throw this.#named(error, doing, "reading");
    }
  }

  /**
   * Runs scripts in one pipeline, each atomic in itself, and gives their answers in order.
   * @throws as `command`: of several failures, the first.
   */
  async scripts(doing: string, stage: Stage, calls: readonly ScriptCall[]): Promise<unknown[]> {
    const answers = await this.#pipeline(doing, stage, calls);
    const unknown = calls.filter((_, at) => isUnknownScript(answers[at]));
    if (unknown.length > 0) {
      await this.#load(doing, new Set(unknown.map(({ script }) => script)));
      const again = await this.#pipeline(doing, stage, unknown);
      for (const [at, answer] of answers.entries()) {
        if (isUnknownScript(answer)) answers[at] = again.shift() ?? answer;
      }
    }
    for (const answer of answers) {
      if (answer instanceof Error) throw this.#named(answer, doing, stage);
    }
    return answers;
  }

  async #pipeline(doing: string, stage: Stage, calls: readonly ScriptCall[]): Promise<unknown[]> {
    const pipeline = this.#redis.pipeline();
    for (const { script, keys, args } of calls) {
      pipeline.evalsha(script.sha1, keys.length, ...keys, ...args);
    }
    try {
      const answers = await within(this.#deadlineMs, pipeline.exec());
      return (answers ?? []).map(([error, answer]) => error ?? answer);
    } catch (error) {
      throw this.#named(error, doing, stage);
    }
  }

  /** A script that the server doesn't know has done nothing: it may be sent again. */
  async #load(doing: string, scripts: ReadonlySet<Script>): Promise<void> {
    for (const { text } of scripts) {
      await this.command(doing, (redis) => redis.script("LOAD", text));
    }
  }

  /** A server that doesn't answer is left: what comes later on this connection would be stale. */
  #named(error: unknown, doing: string, stage: Stage): Error {
    if (error instanceof TimedOut && this.connected) this.#redis.disconnect(true);
    return redisError(error, doing, stage);
  }

  /** A server that hangs still takes connections, and says nothing on them. */
  #boundHandshake(connectMs: number): void {
    this.#handshakeEnds = afterReading(connectMs, () => {
      this.#fault = `it took the connection and said nothing within ${connectMs} ms`;
      this.#redis.disconnect(true);
    });
  }

  /**
   * @throws FatalError `redis-evicts` where the server may throw keys away to make room: a row that
   * is gone can't be told from one that never was. TransientError where it can't be asked.
   */
  async assertKeepsKeys(): Promise<void> {
    const info = await this.command("Asking Redis for its memory", (redis) => redis.info("memory"));
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? "unknown";
    if (policy === "noeviction") return;
    throw new FatalError(
      "redis-evicts",
      `Redis has the maxmemory-policy ${policy}: it may throw rows of read models away.`,
      "Set maxmemory-policy noeviction (CONFIG SET, and in redis.conf), or use another Redis.",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handshakeEnds();
    this.#redis.disconnect();
  }
}

const isUnknownScript = (answer: unknown): boolean =>
  answer instanceof Error && replyCode(answer) === "NOSCRIPT";
