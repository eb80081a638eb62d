import { StoredSchemaRegistry } from "../../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { schemaRegistryConformance } from "../conformance/schema-registry.ts";

schemaRegistryConformance("The registry in memory", async () => {
  return new StoredSchemaRegistry({ store: new MemoryRegistryStore() });
});
