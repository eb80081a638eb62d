import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import {
  ConfluentRegistry,
  StoredSchemaRegistry,
  subjectRegistry,
} from "../../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { serverOfTest } from "../api/server.ts";

const record = (name: string, ...fields: string[]): string =>
  JSON.stringify({
    type: "record",
    name,
    fields: fields.map((field) => ({ name: field, type: "int", default: 0 })),
  });

async function registryAt(change: (body: Record<string, unknown>) => void = () => undefined) {
  const { app } = await serverOfTest({
    deps: { registry: subjectRegistry(new MemoryRegistryStore()) },
  });
  const server: Server = createServer((request, response) => {
    void (async () => {
      const text = Buffer.concat(await request.toArray()).toString();
      const body = text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>);
      if (body) change(body);
      const answer = await app.inject({
        method: request.method as "GET",
        url: `/registry${request.url}`,
        ...(body ? { payload: body } : {}),
      });
      response.writeHead(answer.statusCode).end(answer.body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return new ConfluentRegistry({ url: `http://127.0.0.1:${port}`, triesMax: 1 });
}

/** A registry whose ids have gaps, and a schema under two subjects. */
async function source(): Promise<StoredSchemaRegistry> {
  const registry = new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
  await registry.register("gone", record("Gone"));
  await registry.register("a", record("A", "one"));
  await registry.register("a", record("A", "one", "two"));
  await registry.register("b", record("A", "one"));
  return registry;
}

const versionsIn = async (registry: ConfluentRegistry | StoredSchemaRegistry) =>
  (await Promise.all(["a", "b"].map((subject) => registry.versions(subject)))).flat();

test("schemas get the ids and versions that they had, and once more changes nothing", async () => {
  const [from, to] = [await source(), await registryAt()];
  const versions = await versionsIn(from);
  expect(await to.importVersions(versions)).toEqual({ made: 3, known: 0 });
  expect(await versionsIn(to)).toEqual(versions);
  expect(await to.importVersions(versions)).toEqual({ made: 0, known: 3 });
  const next = await to.register("c", record("C"));
  expect(next.id).toBeGreaterThan(3);
});

test("what was registered before is found under its id by whoever registers it again", async () => {
  const [from, to] = [await source(), await registryAt()];
  const versions = await versionsIn(from);
  await to.importVersions(versions);
  const again = await to.register("a", record("A", "one", "two"));
  expect(again).toEqual(versions.find(({ version, subject }) => subject === "a" && version === 2));
});

test("an id that stands for another schema is named, and nothing is written", async () => {
  const [from, to] = [await source(), await registryAt()];
  await to.register("other", record("Other"));
  await to.register("other", record("Other", "x"));
  const versions = await versionsIn(from);
  await expect(to.importVersions(versions)).rejects.toThrow(
    /Id 2, which a has, stands for another/,
  );
  expect(await to.subjects()).toEqual(["other"]);
});

test("a registry that gives ids of its own is named", async () => {
  const to = await registryAt((body) => {
    delete body["id"];
    delete body["version"];
    if (body["mode"] === "IMPORT") body["mode"] = "READWRITE";
  });
  const versions = await versionsIn(await source());
  await expect(to.importVersions(versions)).rejects.toThrow(/gave it another id than 2/);
});
