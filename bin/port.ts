import { type AddressInfo, createServer, type Server } from "node:net";
import { Server as TlsServer } from "node:tls";

import { Acceptors, canShareAPort } from "./acceptors.ts";
import { CommandFailure } from "./command-failure.ts";
import { reportToTerminal } from "./terminal.ts";

/** Where a server of HTTP listens. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Refuses a taken port, and a host that isn't here, before anything else is started. Somebody may still
 * take the port in between: then listening fails the same way (`asPortFailure`).
 */
export async function assertPortFree(address: Address): Promise<void> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
    });
  } catch (error) {
    throw asPortFailure(error, address);
  }
  await new Promise((resolve) => probe.close(resolve));
}

/** A server as far as it is begun and ended here. */
export interface Listenable {
  readonly server: Server;
  listen(address: Address & { readonly reusePort: boolean }): Promise<unknown>;
  close(): PromiseLike<void>;
}

export interface Listening {
  readonly url: string;
  /** Takes nothing new, finishes what is in flight. */
  close(): Promise<void>;
}

/**
 * @param listeners How many new connections a turn of the event loop may accept (see `Acceptors`).
 * @throws CommandFailure when the port can't be had; the server is closed then.
 */
export async function listenOn(
  app: Listenable,
  { host, port }: Address,
  listeners = 1,
): Promise<Listening> {
  const reusePort = listeners > 1 && canShareAPort;
  const count = reusePort ? listeners - 1 : 0;
  let acceptors: Acceptors;
  try {
    await app.listen({ host, port, reusePort });
    acceptors = await Acceptors.beside({ server: app.server, count, report: reportToTerminal });
  } catch (error) {
    await app.close();
    throw asPortFailure(error, { host, port });
  }
  const { port: taken } = app.server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  const scheme = app.server instanceof TlsServer ? "https" : "http";
  const close = async () =>
    void (await Promise.all([acceptors[Symbol.asyncDispose](), app.close()]));
  return { url: `${scheme}://${name}:${taken}`, close };
}

/** What a failed attempt to listen says to the shell. */
export function asPortFailure(error: unknown, { host, port }: Address): Error {
  const { code } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  switch (code) {
    case "EADDRINUSE":
      return new CommandFailure(
        "portTaken",
        `Port ${port} on ${host} is taken: stop what listens there, or choose another with --port.`,
        options,
      );
    case "EACCES":
      return new CommandFailure("portTaken", `Port ${port} may not be used by this user.`, options);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new CommandFailure("usage", `This machine has no address ${host}.`, options);
    default:
      return error as Error;
  }
}

const loopback = new Set(["127.0.0.1", "::1", "localhost"]);

export const isLoopback = (host: string): boolean => loopback.has(host);

/** For an API that asks nobody who he is: only this machine may reach it. */
export function assertLoopback(host: string): void {
  if (isLoopback(host)) return;
  throw new CommandFailure(
    "usage",
    "With --auth off the API is open to whoever reaches it, so it listens on loopback only, not on " +
      `${host}: use 127.0.0.1 or ::1, or --auth on.`,
  );
}
