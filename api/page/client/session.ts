import type { Backend, Problem } from "./backend.ts";

export type Role = "student" | "viewer" | "operator" | "admin";

/** Who uses the page. */
export interface Person {
  readonly subject: string;
  readonly role: Role;
  /** undefined: the server asks nobody to sign in. */
  readonly expiresAt: string | undefined;
}

export interface Credentials {
  readonly kind: "student" | "user";
  readonly name: string;
  readonly password: string;
}

interface Created {
  readonly token: string;
  readonly subject: string;
  readonly role: Role;
  readonly expiresAt: string;
}

/** A timer can't wait for longer. */
const timerMsMax = 2 ** 31 - 1;

const endings: Readonly<Record<string, string>> = {
  "session-expired": "Your session has expired. Sign in again to go on.",
  "session-revoked": "Your session was ended from elsewhere. Sign in again to go on.",
};
const otherEnding = "Your session can’t be used any more. Sign in again to go on.";

/** Signing in and out. The token is in memory alone, so a reload signs out. */
export class Session {
  readonly #backend: Backend;
  readonly #onChange: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  person: Person | undefined;
  /** Why the last session ended without its owner's doing. */
  ending: string | undefined;
  refusal: string | undefined;
  isBusy = false;

  constructor(backend: Backend, onChange: () => void) {
    this.#backend = backend;
    this.#onChange = onChange;
  }

  /** Where everything is open, a name is enough. */
  call(student: string): void {
    this.person = { subject: student, role: "student", expiresAt: undefined };
    this.#onChange();
  }

  async signIn({ kind, name, password }: Credentials): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.refusal = undefined;
    this.#onChange();
    const account = kind === "student" ? { studentId: name, password } : { user: name, password };
    const answer = await this.#backend.ask<Created>("/sessions", { method: "POST", body: account });
    this.isBusy = false;
    if (answer.ok) this.#begin(answer.body, answer.answeredAtMs);
    else this.refusal = answer.problem.detail;
    this.#onChange();
  }

  async signOut(): Promise<void> {
    const { person } = this;
    if (person?.expiresAt !== undefined) {
      await this.#backend.ask("/sessions/current", { method: "DELETE" });
    }
    this.#forget();
    this.ending = undefined;
    this.#onChange();
  }

  /** The server takes the token no more. */
  refused({ code }: Problem): void {
    if (this.person?.expiresAt === undefined) return;
    this.#forget();
    this.ending = endings[code] ?? otherEnding;
    this.#onChange();
  }

  #begin({ token, subject, role, expiresAt }: Created, nowMs: number): void {
    this.#backend.use(token);
    this.person = { subject, role, expiresAt };
    this.ending = undefined;
    const leftMs = Date.parse(expiresAt) - nowMs;
    const expire = () =>
      this.refused({ status: 401, code: "session-expired", detail: "It has expired." });
    this.#timer = setTimeout(expire, Math.min(Math.max(0, leftMs), timerMsMax));
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#backend.use(undefined);
    this.person = undefined;
  }
}

const rank: Readonly<Record<Role, number>> = { student: 0, viewer: 1, operator: 2, admin: 3 };

export const atLeast = (role: Role | undefined, least: "viewer" | "operator" | "admin"): boolean =>
  role !== undefined && rank[role] >= rank[least];
