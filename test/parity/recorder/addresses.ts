import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";

import type { Servers } from "./recorder.ts";

/**
 * Reads the addresses that `npm run stack` wrote.
 *
 * @throws Error when the file isn't there or lacks one.
 */
export async function readAddresses(path: string): Promise<Servers> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(
      `There is no ${path}: start the servers with npm run stack and wait until it says Ready, ` +
        `or name its file with --addresses.`,
      { cause },
    );
  });
  const read = parseEnv(text);
  const address = (name: string): string => {
    const value = read[name];
    if (value === undefined) throw new Error(`${path} doesn't say ${name}; start the stack again.`);
    return value;
  };
  return {
    postgresUrl: address("DATABASE_URL"),
    connectUrl: address("CONNECT_URL"),
    registryUrl: address("SCHEMA_REGISTRY_URL"),
  };
}
