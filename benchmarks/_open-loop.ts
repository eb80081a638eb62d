import { Connection } from "./_connection.ts";
import { type DueTurn, steadyTurns } from "./_steady-rate.ts";

export interface OpenLoop {
  readonly httpUrl: string;
  readonly perSecond: number;
  /** Opened at the start; more are opened while all of these wait for an answer. */
  readonly connections: number;
  readonly send: (connection: Connection, turn: DueTurn) => Promise<void>;
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
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let sent = 0;
  for await (const due of steadyTurns({ perSecond, turns, signal })) {
    await Promise.race([failed.promise, Promise.resolve()]);
    for (const turn of due) {
      // In turn: the server closes those that nothing is asked of.
      const connection = free.shift() ?? (await Connection.open(httpUrl));
      const done: Promise<void> = send(connection, turn)
        .then(() => void free.push(connection), failed.reject)
        .finally(() => running.delete(done));
      running.add(done);
      sent += 1;
    }
  }
  await Promise.race([Promise.all(running), failed.promise]);
  for (const connection of free) connection.close();
  return sent;
}
