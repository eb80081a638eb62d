import { afterAll, beforeAll } from "vitest";

import { ConfluentRegistry } from "../../connectors/registry/index.ts";
import { schemaRegistryConformance } from "../conformance/schema-registry.ts";
import { startRegistryServer, type RegistryServer } from "../support/registry-server.ts";

let server: RegistryServer;

beforeAll(async () => {
  server = await startRegistryServer();
}, 120_000);

afterAll(() => server.stop());

schemaRegistryConformance("Apicurio's registry", async () => {
  await server.empty(["a", "b"]);
  return new ConfluentRegistry({ url: server.url });
});
