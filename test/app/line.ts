import type { Decision } from "../../engine/decision/definition.ts";
import { offerModule, type OfferModule } from "../../processors/catalogue/index.ts";
import { lineOpens, register, seatOffer, withdraw } from "../../processors/seats/index.ts";
import { waitingList } from "../../processors/waiting-list/index.ts";
import { ModuleHistory } from "./module-history.ts";

export const minuteMs = 60_000;

/** A module, its line, and whatever keeps the line going. */
export class Line {
  readonly history = new ModuleHistory();
  readonly #row: OfferModule;
  readonly #ids = new Map<string, string>();

  constructor(changes: Partial<OfferModule> = {}) {
    const times = { opensAt: null, closesAt: null };
    const row = { moduleCode: "MA101", title: "Algebra", capacity: 1, feeCents: 500 };
    this.#row = { ...row, ...times, ...changes };
    this.row({});
  }

  /** Writes the module's row anew, with changes. */
  row(changes: Partial<OfferModule>): void {
    Object.assign(this.#row, changes);
    this.history.must(offerModule(this.#row));
  }

  /** Registers, and joins the line where the module is full. */
  register(studentId: string) {
    const { moduleCode } = this.#row;
    const answer = this.history.must(register({ moduleCode, studentId, waitlist: true }));
    this.#ids.set(studentId, answer.registrationId);
    return answer;
  }

  /** The id of the student's last registration. */
  idOf(studentId: string): string {
    const id = this.#ids.get(studentId);
    if (id === undefined) throw new Error(`${studentId} has not registered.`);
    return id;
  }

  withdraw(studentId: string) {
    return this.history.must(withdraw({ registrationId: this.idOf(studentId) }));
  }

  try(studentId: string): string {
    const { moduleCode } = this.#row;
    const decision: Decision = this.history.do(register({ moduleCode, studentId }));
    return decision.kind === "refused" ? decision.refusal.code : "accepted";
  }

  after(ms: number): void {
    this.history.nowMs += ms;
    this.quiet();
  }

  /** Lets processor and deadlines work until nothing is left to do now. */
  quiet(): void {
    let done: number;
    do {
      done = this.history.react(waitingList) + this.history.passDeadlines([seatOffer, lineOpens]);
    } while (done > 0);
  }

  /** Who was offered a seat, in order. */
  get offered(): string[] {
    return this.history.facts.flatMap(({ type, event }) =>
      type.name === "SeatOffered" ? [(event as { readonly studentId: string }).studentId] : [],
    );
  }
}
