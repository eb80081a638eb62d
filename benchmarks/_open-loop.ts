import { setTimeout as sleep } from "node:timers/promises";

import { Connection } from "./_connection.ts";

/** One request of an open loop. */
export interface Turn {
  /** From 0. */
  readonly index: number;
  /** When it was due to be sent (performance.now), however late it was. */
  readonly dueMs: number;
}

export interface OpenLoop {
  readonly httpUrl: string;
  readonly perSecond: number;
  /** Opened at the start; more are opened while all of these wait for an answer. */
  readonly connections: number;
  readonly send: (connection: Connection, turn: Turn) => Promise<void>;
  /** Requests in all; left out: until `signal` aborts. */
  readonly turns?: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends at a steady rate whatever the answers take: a slow server can't slow its own measure, and
 * what counts is the time since a request was due. Resolves with the number of requests when all of
 * them are answered; rejects with the first failure of `send`.
 */
export async function openLoop(options: OpenLoop): Promise<number> {
  const { httpUrl, perSecond, connections, turns = Infinity, send, signal } = options;
  const opening = Array.from({ length: connections }, () => Connection.open(httpUrl));
  const free = await Promise.all(opening);
  const running = new Set<Promise<void>>();
  const began = performance.now();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const isOver = (): boolean => sent >= turns || signal?.aborted === true;
  let sent = 0;
  while (!isOver()) {
    const due = Math.min(turns, Math.floor(((performance.now() - began) * perSecond) / 1_000));
    for (; sent < due; sent += 1) {
      // In turn: the server closes those that nothing is asked of.
      const connection = free.shift() ?? (await Connection.open(httpUrl));
      const turn = { index: sent, dueMs: began + (sent * 1_000) / perSecond };
      const done: Promise<void> = send(connection, turn)
        .then(() => void free.push(connection), failed.reject)
        .finally(() => running.delete(done));
      running.add(done);
    }
    await Promise.race([sleep(1), failed.promise]);
  }
  await Promise.race([Promise.all(running), failed.promise]);
  for (const connection of free) connection.close();
  return sent;
}
