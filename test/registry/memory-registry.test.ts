import { avroRules } from "../../connectors/registry/index.ts";
import { MemorySchemaRegistry } from "../../engine/memory/schema-registry.ts";
import { schemaRegistryConformance } from "../conformance/schema-registry.ts";

schemaRegistryConformance("The registry in memory", async () => {
  return new MemorySchemaRegistry({ rules: avroRules });
});
