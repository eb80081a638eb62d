import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { runCommand } from "./commands.ts";
import { freePort, isListening, startServer } from "./process.ts";
import type { Service, ServiceFolders } from "./service.ts";

const program = "redis-server";

/**
 * The system's Redis, without persistence, since read models are filled out of Postgres.
 *
 * @throws ServiceError where it isn't installed.
 */
export async function startRedis(folders: ServiceFolders): Promise<Service> {
  await runCommand({
    program,
    args: ["--version"],
    remedy: "Install it (Debian: apt-get install redis-server).",
  });
  const folder = join(folders.data, "redis");
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const settings = {
    bind: "127.0.0.1",
    port: String(port),
    dir: folder,
    save: "",
    appendonly: "no",
    "maxmemory-policy": "noeviction",
  };
  return startServer({
    name: "redis",
    url: `redis://127.0.0.1:${port}`,
    command: program,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    folder,
    isReady: () => isListening(port),
    startTimeoutMs: 10_000,
  });
}
