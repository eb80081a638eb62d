import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { registryStoreConformance } from "../conformance/registry-store.ts";

registryStoreConformance("Memory", async () => new MemoryRegistryStore());
