import type { Pool } from "pg";

import { knownFraming } from "../../connectors/postgres/event-store/index.ts";
import type { CompatibilityLevel, SchemaRegistry } from "../../engine/ports/schema-registry.ts";
import type { Definitions } from "../system/definitions.ts";
import { nameOf } from "../system/registry.ts";
import type { Findings } from "./finding.ts";

/** Under these every event ever written stays readable. */
const kept: readonly CompatibilityLevel[] = ["BACKWARD_TRANSITIVE", "FULL_TRANSITIVE"];

/** The registry: whose ids the store's events carry, and whether each type's schema is there. */
export async function lookAtRegistry(
  found: Findings,
  part: {
    readonly pool: Pool;
    readonly registry: SchemaRegistry;
    readonly definitions: Pick<Definitions, "eventTopics">;
  },
): Promise<void> {
  const { pool, registry, definitions } = part;
  const ours = await nameOf(registry);
  const theirs = await knownFraming(pool);
  if (theirs === undefined) found.ok("answers; the store has no events yet");
  else if (ours === theirs) found.ok(`is the store's registry (${ours})`);
  else {
    found.fault(
      `is ${ours ?? "another one"}, and the store's events were framed with ${theirs}`,
      "Use the store's registry, or run refold schema push.",
    );
  }
  for (const topic of definitions.eventTopics) {
    for (const type of topic.events) {
      await lookAtSubject(found, registry, {
        subject: `${topic.name}-${type.fullName}`,
        schema: JSON.stringify(type.schema),
      });
    }
  }
}

async function lookAtSubject(
  found: Findings,
  registry: SchemaRegistry,
  { subject, schema }: { readonly subject: string; readonly schema: string },
): Promise<void> {
  const versions = await registry.versions(subject);
  const clashes = await registry.check(subject, schema);
  const level = await registry.compatibility(subject);
  if (clashes.length > 0) {
    const first = clashes[0];
    found.fault(
      `${subject}: the code's schema can't follow (${first?.reason} at ${first?.path})`,
      "Change the schema to keep the promise.",
    );
  } else if (versions.length === 0) {
    found.warning(`${subject} has no version yet`, "It is registered at the next start.");
  } else if (!kept.includes(level)) {
    found.warning(
      `${subject} has the level ${level}`,
      `Set it to ${kept[0]}: old events must stay readable. The next start does.`,
    );
  } else found.ok(`${subject}: ${level}, id ${versions.at(-1)?.id}`);
}
