import type { Backend, Problem } from "./backend.ts";

export interface Registration {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly status: string;
  readonly feeCents: number | null;
  readonly enrolmentId: string | null;
  readonly reason: string | null;
  readonly registeredAt: string;
  readonly offerExpiresAt: string | null;
  readonly holdExpiresAt: string | null;
}

/** A registration with what only other queries tell. */
export interface Own extends Registration {
  /** In line: 1 is next; 0 has a seat on offer. */
  readonly place: number | null;
  readonly payment: Payment | undefined;
}

export interface Payment {
  readonly paymentId: string;
  readonly status: string;
  readonly amountCents: number;
  readonly reason: string | null;
  readonly refundedCents: number;
}

interface RegistrationPage {
  readonly registrations: readonly Registration[];
  readonly next: string | null;
}

const pageSize = 200;
const registrationsMax = 1_000;
/** A student has few open at once; what has ended isn't asked for again. */
const detailsMax = 20;
const restMs = 400;
/** Payments and places in line change without a change of seats. */
const pollMs = 3_000;

const inLine = new Set(["waiting", "offered"]);
/** What may change without the student doing anything. */
const unsettled = new Set(["waiting", "offered", "held"]);

/** The registrations of the student who has signed in, kept up to date. */
export class Registrations {
  readonly #backend: Backend;
  readonly #onChange: () => void;
  #student: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;
  #dueFor: { waitFor: string | undefined } | undefined;
  all: readonly Own[] = [];
  isLoaded = false;
  failure: Problem | undefined;

  constructor(backend: Backend, onChange: () => void) {
    this.#backend = backend;
    this.#onChange = onChange;
  }

  /** undefined: nobody, and nothing is shown. */
  of(student: string | undefined): void {
    this.#student = student;
    this.all = [];
    this.isLoaded = false;
    this.failure = undefined;
    clearTimeout(this.#timer);
    if (student !== undefined) this.look();
  }

  /** The one of a module that hasn't ended. */
  activeIn(moduleCode: string): Own | undefined {
    return this.all.find((one) => one.moduleCode === moduleCode && isActive(one));
  }

  /** Asks again soon: what a command wrote at once, everything else after a short rest. */
  look(waitFor?: string): void {
    if (this.#student === undefined) return;
    this.#dueFor = { waitFor: waitFor ?? this.#dueFor?.waitFor };
    if (this.#isLoading) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#load(), waitFor === undefined ? restMs : 0);
  }

  /** A module has changed: perhaps because of a registration of ours. */
  moduleChanged(moduleCode: string): void {
    if (this.all.some((one) => one.moduleCode === moduleCode && unsettled.has(one.status))) {
      this.look();
    }
  }

  async #load(): Promise<void> {
    const student = this.#student;
    if (student === undefined) return;
    this.#isLoading = true;
    const found = await this.#ask(student, this.#takeDue()?.waitFor);
    this.#isLoading = false;
    if (student !== this.#student) return this.look();
    if (found !== undefined) {
      this.all = found;
      this.isLoaded = true;
      this.failure = undefined;
    }
    this.#onChange();
    const due = this.#takeDue();
    if (due !== undefined) this.look(due.waitFor);
    else this.#timer = setTimeout(() => void this.#load(), pollMs);
  }

  #takeDue(): { readonly waitFor: string | undefined } | undefined {
    const due = this.#dueFor;
    this.#dueFor = undefined;
    return due;
  }

  async #ask(student: string, waitFor: string | undefined): Promise<readonly Own[] | undefined> {
    const registrations: Registration[] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const path = `/students/${encodeURIComponent(student)}/registrations`;
      const answer = await this.#backend.ask<RegistrationPage>(
        `${path}?limit=${pageSize}${after}`,
        { waitFor },
      );
      if (!answer.ok) {
        this.failure = answer.problem;
        return undefined;
      }
      registrations.push(...answer.body.registrations);
      cursor = answer.body.next;
    } while (cursor !== null && registrations.length < registrationsMax);
    const newestFirst = registrations.toReversed();
    const detailed = newestFirst.filter(hasDetails).slice(0, detailsMax);
    const details = new Map(
      await Promise.all(
        detailed.map(async (one) => [one.registrationId, await this.#details(one)] as const),
      ),
    );
    return newestFirst.map((one) => ({
      ...one,
      place: details.get(one.registrationId)?.place ?? null,
      payment: details.get(one.registrationId)?.payment,
    }));
  }

  async #details(one: Registration): Promise<Pick<Own, "place" | "payment">> {
    const path = `/registrations/${encodeURIComponent(one.registrationId)}`;
    if (inLine.has(one.status)) {
      const answer = await this.#backend.ask<{ readonly place: number | null }>(path);
      return { place: answer.ok ? answer.body.place : null, payment: undefined };
    }
    const answer = await this.#backend.ask<{ readonly payments: readonly Payment[] }>(
      `${path}/payments`,
    );
    return { place: null, payment: answer.ok ? answer.body.payments.at(-1) : undefined };
  }
}

export const isActive = ({ status }: Registration): boolean =>
  unsettled.has(status) || status === "completed";

const hasDetails = (one: Registration): boolean =>
  inLine.has(one.status) || (one.feeCents !== null && one.feeCents > 0);
