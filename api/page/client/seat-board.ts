import type { Backend } from "./backend.ts";

/** A module of the catalogue. */
export interface Module {
  readonly moduleCode: string;
  readonly title: string;
  readonly feeCents: number;
  readonly opensAt: string | null;
  readonly closesAt: string | null;
}

/** Its seats, as an answer or an update has them. */
export interface Seats {
  readonly moduleCode: string;
  readonly capacity: number;
  readonly held: number;
  readonly confirmed: number;
  readonly available: number;
}

export interface ModuleSeats {
  readonly module: Module;
  /** undefined: not known yet. */
  readonly seats: Seats | undefined;
  /** By how much the free seats have changed, and when that was told here. */
  readonly changed: { readonly by: number; readonly atMs: number } | undefined;
}

interface Entry {
  module: Module | undefined;
  seats: Seats | undefined;
  /** Where the seats stand in the module's lane; what comes with a lower one is older. */
  place: Place;
  changed: ModuleSeats["changed"];
}

interface Place {
  readonly incarnation: string;
  readonly sequence: number;
}

const nowhere: Place = { incarnation: "", sequence: -1 };
const pageSize = 500;
const modulesMax = 2_000;
/** Requests for seats that are under way at once. */
const askedAtOnce = 4;
const againMs = 1_500;

interface ModulePage {
  readonly modules: readonly Module[];
  readonly next: string | null;
}

type Availability = Seats & { readonly position: string | null };

/** All modules with their seats, from queries at first and from updates afterwards. */
export class SeatBoard {
  readonly #entries = new Map<string, Entry>();
  readonly #backend: Backend;
  readonly #onChange: (codes: ReadonlySet<string>) => void;
  #isLoading = false;
  #isDue = false;
  /** undefined: everything that was asked for is here. */
  failure: string | undefined;
  isLoaded = false;

  constructor(backend: Backend, onChange: (codes: ReadonlySet<string>) => void) {
    this.#backend = backend;
    this.#onChange = onChange;
  }

  get(code: string): ModuleSeats | undefined {
    const { module, seats, changed } = this.#entries.get(code) ?? {};
    return module === undefined ? undefined : { module, seats, changed };
  }

  codes(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** Asks for everything; called again while it is at it, it does so once more afterwards. */
  async load(): Promise<void> {
    this.#isDue = true;
    if (this.#isLoading) return;
    this.#isLoading = true;
    while (this.#isDue) {
      this.#isDue = false;
      const isWhole = await this.#loadOnce();
      // A server that is busy says so at once; what it kept back is asked for again soon.
      if (!isWhole) setTimeout(() => void this.load(), againMs * (0.5 + Math.random()));
    }
    this.#isLoading = false;
  }

  /** An update of the stream. */
  update(update: Seats & { readonly sourcePosition: string }): void {
    const { moduleCode } = update;
    const entry = this.#entryOf(moduleCode);
    this.#take(entry, update, placeOf(update.sourcePosition));
    if (entry.module === undefined) void this.#loadModule(moduleCode);
    this.#onChange(new Set([moduleCode]));
  }

  /** One that a command has just changed: its answer is known before the update comes. */
  async refresh(code: string, waitFor: string | undefined): Promise<void> {
    await this.#loadSeats(code, waitFor);
    this.#onChange(new Set([code]));
  }

  #entryOf(code: string): Entry {
    const found = this.#entries.get(code);
    if (found !== undefined) return found;
    const entry = { module: undefined, seats: undefined, place: nowhere, changed: undefined };
    this.#entries.set(code, entry);
    return entry;
  }

  #take(entry: Entry, seats: Seats, place: Place): void {
    const { incarnation, sequence } = entry.place;
    if (place.incarnation === incarnation && place.sequence < sequence) return;
    const by = entry.seats === undefined ? 0 : seats.available - entry.seats.available;
    if (by !== 0) entry.changed = { by, atMs: Date.now() };
    entry.seats = seats;
    entry.place = place;
  }

  /** False: something was not answered. */
  async #loadOnce(): Promise<boolean> {
    const found = await this.#loadModules();
    if (found === undefined) return false;
    const listed = new Set(found.map(({ moduleCode }) => moduleCode));
    const gone = [...this.#entries.keys()].filter((code) => !listed.has(code));
    for (const code of gone) this.#entries.delete(code);
    for (const module of found) this.#entryOf(module.moduleCode).module = module;
    this.isLoaded = true;
    this.#onChange(new Set([...listed, ...gone]));
    const waiting = [...listed];
    let isWhole = true;
    const worker = async () => {
      for (let code = waiting.shift(); code !== undefined; code = waiting.shift()) {
        if (!(await this.#loadSeats(code))) isWhole = false;
        this.#onChange(new Set([code]));
      }
    };
    await Promise.all(Array.from({ length: askedAtOnce }, worker));
    return isWhole;
  }

  async #loadModules(): Promise<readonly Module[] | undefined> {
    const modules: Module[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = await this.#backend.ask<ModulePage>(`/modules?limit=${pageSize}${after}`);
      if (!answer.ok) {
        this.failure = answer.problem.detail;
        this.#onChange(new Set());
        return undefined;
      }
      modules.push(...answer.body.modules);
      cursor = answer.body.next;
    } while (cursor !== null && modules.length < modulesMax);
    this.failure = undefined;
    return modules;
  }

  async #loadModule(code: string): Promise<void> {
    const answer = await this.#backend.ask<Module>(`/modules/${encodeURIComponent(code)}`);
    if (!answer.ok) return;
    this.#entryOf(code).module = answer.body;
    this.#onChange(new Set([code]));
  }

  async #loadSeats(code: string, waitFor?: string): Promise<boolean> {
    const path = `/modules/${encodeURIComponent(code)}/availability`;
    const answer = await this.#backend.ask<Availability>(path, { waitFor });
    if (!answer.ok) return false;
    const { position } = answer.body;
    this.#take(this.#entryOf(code), answer.body, position === null ? nowhere : placeOf(position));
    return true;
  }
}

/** Of the one lane that a module's position token names. */
function placeOf(token: string): Place {
  try {
    const text = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    const [, incarnation = "", lane = ""] = text.split("|");
    const digits = lane.slice(lane.indexOf("=") + 1);
    const sequence = Number.parseInt(digits, 36);
    return Number.isNaN(sequence) ? nowhere : { incarnation, sequence };
  } catch {
    return nowhere;
  }
}
