import { randomUUID } from "node:crypto";

import { makePool, PostgresEventStore } from "../connectors/postgres/index.ts";
import {
  avroCodec,
  PostgresRegistryStore,
  StoredSchemaRegistry,
} from "../connectors/registry/index.ts";
import type { EventCodec } from "../engine/ports/codec.ts";
import type { EventStore, NewEvent } from "../engine/ports/event-store.ts";
import { ModuleRegistered, RegistrationCompleted } from "../schemas/index.ts";
import { moduleEvents as topic } from "../schemas/topics.ts";
import type { Arrivals } from "./_arrivals.ts";
import { newModuleEvent } from "./_history.ts";
import { type DueTurn, steadyTurns } from "./_steady-rate.ts";

export interface SteadyEvents {
  readonly databaseUrl: string;
  /** Modules on offer, which get registrations in turn. */
  readonly codes: readonly string[];
  /** Even: a registration is two events, held and completed, of one append. */
  readonly eventsPerSecond: number;
  /** Of the same load, before what is measured. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Rows by partition; updates by module. */
  readonly rows: Arrivals;
  readonly updates: Arrivals;
}

const eventsOfRegistration = 2;

/**
 * Appends registrations to the event store at a steady rate, as commands would have recorded them:
 * the decisions are left out. Those that wait for the store are gathered into one call. Gives how
 * many registrations each module has got.
 */
export async function appendSteadily(load: SteadyEvents): Promise<ReadonlyMap<string, number>> {
  const pool = makePool({ url: load.databaseUrl, name: "benchmark events", connectionsMax: 4 });
  try {
    const registry = new StoredSchemaRegistry({ store: new PostgresRegistryStore({ pool }) });
    const codec = avroCodec({ registry });
    await codec.prepare(topic);
    return await new Appender(load, { store: new PostgresEventStore({ pool }), codec }).run();
  } finally {
    await pool.end();
  }
}

class Appender {
  readonly #load: SteadyEvents;
  readonly #to: { readonly store: EventStore; readonly codec: EventCodec };
  readonly #perSecond: number;
  readonly #given = new Map<string, number>();

  constructor(load: SteadyEvents, to: { store: EventStore; codec: EventCodec }) {
    this.#load = load;
    this.#to = to;
    this.#perSecond = load.eventsPerSecond / eventsOfRegistration;
  }

  async run(): Promise<ReadonlyMap<string, number>> {
    const { warmUpSeconds, seconds } = this.#load;
    const perSecond = this.#perSecond;
    const turns = perSecond * (warmUpSeconds + seconds);
    const failed = Promise.withResolvers<never>();
    const appending: Promise<void>[] = [];
    const begin = (turn: DueTurn): void => {
      const append = this.#append(turn);
      append.catch(failed.reject);
      appending.push(append);
    };
    for await (const due of steadyTurns({ perSecond, turns })) due.forEach(begin);
    await Promise.race([Promise.all(appending), failed.promise]);
    return this.#given;
  }

  async #append({ index, dueAtMs }: DueTurn): Promise<void> {
    const { codes, warmUpSeconds, rows, updates } = this.#load;
    const code = codes[index % codes.length] ?? "";
    this.#given.set(code, (this.#given.get(code) ?? 0) + 1);
    const events = registration(this.#to.codec, code, index);
    const verdict = await this.#to.store.append({ events, condition: [] }, { as: "command" });
    if (verdict.outcome !== "appended") throw new Error(`An append ended: ${verdict.outcome}.`);
    const measured = index >= this.#perSecond * warmUpSeconds;
    for (const [at, { sequence, recordedAtMs }] of verdict.events.entries()) {
      const expected = { sequence, recordedAtMs, dueAtMs, measured };
      rows.expect(String(events[at]?.partition), expected);
      updates.expect(code, expected);
    }
  }
}

function registration(codec: EventCodec, moduleCode: string, index: number): NewEvent[] {
  const ids = { registrationId: randomUUID(), moduleCode, studentId: `student-${index}` };
  const held = { ...ids, feeCents: 0, enrolmentId: null, holdExpiresAt: null };
  return [
    newModuleEvent(codec, ModuleRegistered, held),
    newModuleEvent(codec, RegistrationCompleted, ids),
  ];
}
