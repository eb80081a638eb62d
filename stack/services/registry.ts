import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { findJava } from "./java.ts";
import { fetchArchive } from "./maven.ts";
import { freePort, isAnswering, startServer } from "./process.ts";
import type { Service, ServiceFolders } from "./service.ts";

const javaMajorMin = 21;
const application = "io.apicurio:apicurio-registry-app:3.3.3";

/** Where its Confluent-compatible routes begin, below the server's URL. */
export const confluentPath = "/apis/ccompat/v7";

/** Apicurio's registry, in memory; the URL is the server's, without a path. */
export async function startRegistry(folders: ServiceFolders): Promise<Service> {
  const [{ java }, home] = await Promise.all([
    findJava(javaMajorMin),
    fetchArchive(folders.cache, application, "all"),
  ]);
  const folder = join(folders.data, "registry");
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    "quarkus.http.host": "127.0.0.1",
    "quarkus.http.port": port,
    // It would listen to everyone by default.
    "quarkus.management.host": "127.0.0.1",
    "quarkus.management.port": await freePort(),
  };
  const defined = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);

  return startServer({
    name: "registry",
    url,
    command: java,
    args: ["-Xmx384m", ...defined, "-jar", join(home, "quarkus-run.jar")],
    folder,
    isReady: () => isAnswering(`${url}${confluentPath}/subjects`),
    startTimeoutMs: 60_000,
  });
}
