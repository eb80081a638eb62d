import type { RegistryStore } from "../../../engine/ports/registry-store.ts";
import type { SubjectRegistry } from "../../../engine/ports/subject-registry.ts";
import { StoredSchemas } from "./schema-catalogue.ts";
import { StoredSettings } from "./settings-desk.ts";
import { StoredSubjects } from "./subject-catalogue.ts";

/** The registry as Confluent's REST interface presents it, on any store. */
export function subjectRegistry(store: RegistryStore): SubjectRegistry {
  return {
    subjects: new StoredSubjects(store),
    schemas: new StoredSchemas(store),
    settings: new StoredSettings(store),
  };
}
