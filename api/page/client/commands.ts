import type { Answer, Backend } from "./backend.ts";
import { money } from "./format.ts";
import type { Own } from "./registrations.ts";
import type { Module } from "./seat-board.ts";

export interface Done {
  readonly text: string;
  readonly isFault: boolean;
  readonly position: string | undefined;
}

interface Registered {
  readonly registrationId: string;
  readonly status: "held" | "completed" | "waiting";
  readonly paymentId?: string | null;
  readonly feeCents?: number;
}

/** Reads better than the problem's own words where a person has pressed a button. */
const refusals: Readonly<Record<string, string>> = {
  "module-full": "The last seat has just gone. You can wait for one.",
  "student-module-limit":
    "You have as many modules as a student may have. Withdraw from one first.",
  "already-registered": "You are registered for it already.",
  "registration-not-open": "Registration has not opened yet.",
  "registration-closed": "Registration has closed.",
  "offer-expired": "The offer has expired.",
};

/** What a student does, with what is said about it. Each is done once, however often it is sent. */
export class Commands {
  readonly #backend: Backend;
  /** By registration: told with the seat, before any list has the payment. */
  readonly #payments = new Map<string, string>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async register(studentId: string, module: Module, how: "seat" | "line"): Promise<Done> {
    const { moduleCode } = module;
    const body = { moduleCode, studentId, ...(how === "line" ? { waitlist: true } : {}) };
    const answer = await this.#send<Registered>("/registrations", "POST", body);
    return told(answer, ({ registrationId, paymentId, status, feeCents = 0 }) => {
      if (paymentId) this.#payments.set(registrationId, paymentId);
      if (status === "waiting") return `You are in line for ${moduleCode}.`;
      if (status === "completed") return `You are registered for ${moduleCode}.`;
      return `A seat in ${moduleCode} is held for you: pay ${money(feeCents)} to keep it.`;
    });
  }

  async withdraw({ registrationId, moduleCode, status }: Own): Promise<Done> {
    const path = `/registrations/${encodeURIComponent(registrationId)}`;
    const answer = await this.#send(path, "DELETE");
    const isInLine = status === "waiting" || status === "offered";
    return told(answer, () =>
      isInLine ? `You have left the line of ${moduleCode}.` : `You have left ${moduleCode}.`,
    );
  }

  async pay({ registrationId, moduleCode, payment }: Own, token: string): Promise<Done> {
    const id = payment?.paymentId ?? this.#payments.get(registrationId);
    if (id === undefined) {
      return {
        text: "The payment is being prepared. Try again.",
        isFault: true,
        position: undefined,
      };
    }
    const answer = await this.#send(`/payments/${encodeURIComponent(id)}/card`, "POST", { token });
    return told(answer, () => `The card for ${moduleCode} is being charged.`);
  }

  /** Once more, under the same key, where it isn't known what became of the first. */
  async #send<Body>(path: string, method: "POST" | "DELETE", body?: unknown) {
    const sent = { method, body, idempotencyKey: crypto.randomUUID() };
    const answer = await this.#backend.ask<Body>(path, sent);
    const isOpen = !answer.ok && (answer.problem.status === 0 || answer.problem.status >= 500);
    return isOpen ? this.#backend.ask<Body>(path, sent) : answer;
  }
}

function told<Body>(answer: Answer<Body>, text: (body: Body) => string): Done {
  if (answer.ok) return { text: text(answer.body), isFault: false, position: answer.position };
  const { code, detail } = answer.problem;
  return { text: refusals[code] ?? detail, isFault: true, position: undefined };
}
