import avsc from "avsc";

import { moduleEvents } from "../../schemas/topics.ts";

/** An event as its row in the store tells it. */
export interface StoredRow {
  readonly topic: string;
  readonly partition: number;
  readonly sequence: number;
  readonly id: string;
  readonly type: string;
  readonly recordedAt: Date;
  readonly value: Buffer;
}

export interface Seats {
  readonly moduleCode: string;
  capacity: number;
  offered: boolean;
  readonly held: Set<string>;
  readonly confirmed: Set<string>;
}

export interface Registration {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
  status: "held" | "completed" | "cancelled";
}

/** A zero byte and the schema's id. */
const frameBytes = 5;

interface KnownType {
  readonly name: string;
  readonly avro: avsc.Type;
}

const types = new Map<string, KnownType>(
  moduleEvents.events.map(({ name, fullName, schema }) => {
    return [fullName, { name, avro: avsc.Type.forSchema(schema as avsc.Schema) }];
  }),
);

type Fields = Readonly<Record<string, string & number>>;

/**
 * What the events of modules mean, told a second time: no projection, decision or codec of the
 * project takes part. Every broken rule is an entry of `faults`.
 */
export class IndependentFold {
  readonly modules = new Map<string, Seats>();
  readonly registrations = new Map<string, Registration>();
  readonly faults: string[] = [];
  readonly #lanes = new Map<string, { sequence: number; recordedAt: Date }>();
  readonly #ids = new Set<string>();

  constructor(rows: Iterable<StoredRow>) {
    for (const row of rows) this.#take(row);
  }

  #take(row: StoredRow): void {
    this.#place(row);
    const type = types.get(row.type);
    if (type === undefined) return this.#fault(row, "is of a type that nobody knows");
    this.#apply(row, type.name, type.avro.fromBuffer(row.value.subarray(frameBytes)) as Fields);
  }

  /** Lanes have no gap and no double, and their times never go back. */
  #place(row: StoredRow): void {
    const lane = `${row.topic}/${row.partition}`;
    const last = this.#lanes.get(lane);
    if (row.sequence !== (last?.sequence ?? 0) + 1) {
      this.#fault(row, `follows ${last?.sequence ?? "nothing"}`);
    }
    if (last && row.recordedAt < last.recordedAt)
      this.#fault(row, "is earlier than the one before");
    if (this.#ids.has(row.id)) this.#fault(row, "is there twice");
    this.#ids.add(row.id);
    this.#lanes.set(lane, row);
  }

  #apply(row: StoredRow, name: string, event: Fields): void {
    const { moduleCode = "" } = event;
    const module = this.modules.get(moduleCode) ?? newModule(moduleCode);
    this.modules.set(moduleCode, module);
    switch (name) {
      case "ModuleOffered":
        if (module.offered) this.#fault(row, "offers a module that is on offer");
        module.offered = true;
        module.capacity = event["capacity"] ?? -1;
        return;
      case "ModuleCapacityChanged":
        module.capacity = event["capacity"] ?? -1;
        return;
      case "ModuleDetailsChanged":
        return;
      case "ModuleWithdrawn":
        module.offered = false;
        return;
      case "ModuleRegistered":
        return this.#registered(row, module, event);
      case "RegistrationCompleted":
      case "RegistrationCancelled":
        return this.#ended(row, module, { name, id: event["registrationId"] ?? "" });
      default:
        this.#fault(row, "is of a type that this fold doesn't know: teach it");
    }
  }

  #registered(row: StoredRow, module: Seats, event: Fields): void {
    const { registrationId = "", moduleCode = "", studentId = "" } = event;
    if (!module.offered) this.#fault(row, "takes a seat of a module that isn't on offer");
    const taken = [...module.held, ...module.confirmed];
    if (taken.length >= module.capacity) this.#fault(row, `oversells ${moduleCode}`);
    const students = taken.map((id) => this.registrations.get(id)?.studentId);
    if (students.includes(studentId)) this.#fault(row, `gives ${studentId} a second seat`);
    if (this.registrations.has(registrationId)) this.#fault(row, "registers an id again");
    this.registrations.set(registrationId, {
      registrationId,
      moduleCode,
      studentId,
      status: "held",
    });
    module.held.add(registrationId);
  }

  #ended(row: StoredRow, module: Seats, { name, id }: { name: string; id: string }): void {
    const completes = name === "RegistrationCompleted";
    const registration = this.registrations.get(id);
    const held = module.held.delete(id);
    const confirmed = !completes && module.confirmed.delete(id);
    if (registration === undefined || !(held || confirmed)) {
      return this.#fault(row, `ends the registration ${id}, which has no seat`);
    }
    registration.status = completes ? "completed" : "cancelled";
    if (completes) module.confirmed.add(id);
  }

  #fault(row: StoredRow, what: string): void {
    this.faults.push(`${row.type} ${row.topic}/${row.partition} #${row.sequence} ${what}`);
  }
}

const newModule = (moduleCode: string): Seats => ({
  moduleCode,
  capacity: -1,
  offered: false,
  held: new Set(),
  confirmed: new Set(),
});
