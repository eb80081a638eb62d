import { createServer } from "node:net";

import { CommandFailure } from "./command-failure.ts";

/** Where the API listens. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Refuses a taken port before anything else is started. Somebody may still take it in between: then
 * listening fails the same way (`asPortFailure`).
 */
export async function assertPortFree(address: Address): Promise<void> {
  if (address.port === 0) return;
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

/** Nothing asks who somebody is yet: so only this machine may reach the API. */
export function assertLoopback(host: string): void {
  if (loopback.has(host)) return;
  throw new CommandFailure(
    "usage",
    `The API is open to whoever reaches it, so it listens on loopback only, not on ${host}: use 127.0.0.1 or ::1.`,
  );
}
