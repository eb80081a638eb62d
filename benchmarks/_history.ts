import { randomUUID } from "node:crypto";

import { makePool, PostgresEventStore } from "../connectors/postgres/index.ts";
import {
  avroCodec,
  PostgresRegistryStore,
  StoredSchemaRegistry,
} from "../connectors/registry/index.ts";
import { partitionOf } from "../engine/partitioner.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { NewEvent } from "../engine/ports/event-store.ts";
import { tagsOf } from "../engine/decision/tags.ts";
import type { AnyEventType } from "../engine/topic.ts";
import { ModuleRegistered, RegistrationCompleted } from "../schemas/index.ts";
import { moduleEvents as topic } from "../schemas/topics.ts";

/** Registrations of one append: all of one module, and so of one lane. */
const perAppend = 25;
/** Appends that wait at once. */
const waiting = 64;

/**
 * Appends registrations of students to modules that are on offer, two events each, through the event
 * store's own API and as commands would have recorded them; the decisions are left out. Gives how
 * many each module has got.
 */
export async function appendRegistrations(
  databaseUrl: string,
  codes: readonly string[],
  registrations: number,
): Promise<Map<string, number>> {
  const pool = makePool({ url: databaseUrl, name: "benchmark history", connectionsMax: 4 });
  try {
    const registry = new StoredSchemaRegistry({ store: new PostgresRegistryStore({ pool }) });
    const codec = avroCodec({ registry });
    await codec.prepare(topic);
    const store = new PostgresEventStore({ pool });
    const given = new Map(codes.map((code) => [code, 0]));
    let next = 0;
    const append = async (): Promise<void> => {
      while (next < registrations) {
        const first = next;
        const end = Math.min(registrations, first + perAppend);
        next = end;
        const code = codes[Math.floor(first / perAppend) % codes.length] ?? "";
        const events = eventsOf(codec, code, { first, end });
        const verdict = await store.append({ events, condition: [] }, { as: "command" });
        if (verdict.outcome !== "appended") throw new Error(`Appending ended: ${verdict.outcome}.`);
        given.set(code, (given.get(code) ?? 0) + end - first);
      }
    };
    await Promise.all(Array.from({ length: waiting }, append));
    return given;
  } finally {
    await pool.end();
  }
}

interface Range {
  readonly first: number;
  readonly end: number;
}

function eventsOf(codec: EventCodec, moduleCode: string, { first, end }: Range): NewEvent[] {
  const events: NewEvent[] = [];
  for (let index = first; index < end; index += 1) {
    const ids = { registrationId: randomUUID(), moduleCode, studentId: `past-${index}` };
    const held = { ...ids, feeCents: 0, enrolmentId: null, holdExpiresAt: null };
    events.push(newModuleEvent(codec, ModuleRegistered, held));
    events.push(newModuleEvent(codec, RegistrationCompleted, ids));
  }
  return events;
}

type HistoryEvent = Readonly<Record<string, unknown>> & {
  readonly moduleCode: string;
  readonly registrationId?: string;
};

/** An event of a module as a command would have recorded it. */
export function newModuleEvent(
  codec: EventCodec,
  type: AnyEventType,
  event: HistoryEvent,
): NewEvent {
  return {
    id: randomUUID(),
    type: type.fullName,
    topic: topic.name,
    partition: partitionOf(event.moduleCode, topic.partitions),
    key: event.moduleCode,
    value: codec.encode(topic, type, event),
    tags: tagsOf(topic.tags, event),
    correlationId: event.registrationId ?? event.moduleCode,
  };
}
