import { type EventCodec, framedSchemaId, frameBytes } from "../engine/ports/codec.ts";
import {
  ModuleOffered,
  ModuleRegistered,
  RegistrationCancelled,
  RegistrationCompleted,
} from "../schemas/index.ts";

/** What one event, or several of one module, add to its row. */
export interface SeatDelta {
  capacity: number;
  held: number;
  confirmed: number;
}

type Changes = Readonly<Partial<SeatDelta>>;

interface Seats {
  readonly moduleCode: string;
  readonly capacity?: number;
}

const changes: Readonly<Record<string, (event: Seats) => Changes>> = {
  ModuleOffered: ({ capacity = 0 }) => ({ capacity }),
  ModuleRegistered: () => ({ held: 1 }),
  RegistrationCompleted: () => ({ held: -1, confirmed: 1 }),
  RegistrationCancelled: () => ({ held: -1 }),
};

/** Reads seat events as a consumer by hand does: the decoder is the one that the engine uses. */
export class SeatDeltas {
  readonly #reader;

  constructor(codec: EventCodec) {
    const types = [ModuleOffered, ModuleRegistered, RegistrationCompleted, RegistrationCancelled];
    this.#reader = codec.events(types);
  }

  /** Once for each writer's schema; the usual answer is at hand. */
  async learn(value: Buffer): Promise<void> {
    const id = framedSchemaId(value, 0, value.length);
    if (id !== undefined && this.#reader.known(id) === undefined) await this.#reader.learn(id);
  }

  /** Adds what the event says to its module's delta. The schema has been learnt. */
  add(value: Buffer, to: Map<string, SeatDelta>): void {
    const id = framedSchemaId(value, 0, value.length);
    const decoder = id === undefined ? undefined : this.#reader.known(id);
    const change = changes[decoder?.type ?? ""];
    if (decoder === undefined || change === undefined) return;
    const event = decoder.decode(value, frameBytes, value.length) as Seats;
    const delta = to.get(event.moduleCode) ?? { capacity: 0, held: 0, confirmed: 0 };
    const { capacity = 0, held = 0, confirmed = 0 } = change(event);
    delta.capacity += capacity;
    delta.held += held;
    delta.confirmed += confirmed;
    to.set(event.moduleCode, delta);
  }
}
