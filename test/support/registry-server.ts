import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { confluentPath, type Service } from "../../stack/services/index.ts";
import { startRegistry } from "../../stack/services/registry.ts";

export interface RegistryServer {
  /** Where the Confluent-compatible routes begin. */
  readonly url: string;
  stop(): Promise<void>;
  /**
   * Deletes every subject, for good, and sets the level that Confluent's registry begins with. A
   * subject that has a level and no versions isn't listed: such ones are named.
   */
  empty(named: readonly string[]): Promise<void>;
}

/** A registry of the tests' own: it is emptied, and stopped in the middle. */
export async function startRegistryServer(): Promise<RegistryServer> {
  const data = await mkdtemp(join(tmpdir(), "refold-registry-"));
  const cache = join(homedir(), ".cache", "refold", "stack");
  const service: Service = await startRegistry({ cache, data });
  const url = `${service.url}${confluentPath}`;
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    url,
    stop: async () => {
      await service.stop();
      await rm(data, { recursive: true, force: true });
    },
    empty: async (named) => {
      const listed = (await call("GET", "/subjects?deleted=true")) as string[];
      for (const subject of new Set([...listed, ...named])) {
        const path = `/subjects/${encodeURIComponent(subject)}`;
        await call("DELETE", `/config/${encodeURIComponent(subject)}`).catch(() => undefined);
        await call("DELETE", path).catch(() => undefined);
        await call("DELETE", `${path}?permanent=true`).catch(() => undefined);
      }
      await call("PUT", "/config", { compatibility: "BACKWARD" });
    },
  };
}
