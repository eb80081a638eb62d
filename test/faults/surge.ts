import { setTimeout as delay } from "node:timers/promises";

import { Client } from "pg";

import { until } from "../e2e/refold-process.ts";

interface Asked {
  readonly moduleCode: string;
  readonly studentId: string;
}

interface Accepted extends Asked {
  readonly registrationId: string;
}

/** What the clients were told. */
export interface Answers {
  /** By registration. */
  readonly accepted: Map<string, Accepted>;
  /** Withdrawals that were confirmed. */
  readonly withdrawn: Set<string>;
  /** Requests without an answer, or with one that says that the server could not: perhaps done. */
  readonly lost: Asked[];
  /** By status and code. */
  readonly counts: Map<string, number>;
  readonly strange: { readonly status: number; readonly code: string }[];
}

export interface SurgeOptions {
  readonly modules: number;
  readonly capacity: number;
  readonly clients: number;
  /**
   * How long each client rests between two requests (default: not at all). Where many processes share
   * the machine, clients without rest would leave nothing for what a test waits for.
   */
  readonly restMs?: number;
}

/** Refusals that the rules give. */
const refusals = new Set(["module-full", "student-module-limit", "already-registered"]);
/** Answers of a server that is in trouble: the command may have been done or not. */
const troubles = new Set([
  "unavailable",
  "storage-full",
  "overloaded",
  "not-ready",
  "answer-timeout",
]);

/**
 * Registration day: clients that register and withdraw as fast as they are answered, while the
 * catalogue's owner raises capacities and adds modules with SQL. It goes on over crashes: what is
 * told here is what clients can rely on afterwards.
 */
export class Surge {
  readonly answers: Answers = {
    accepted: new Map(),
    withdrawn: new Set(),
    lost: [],
    counts: new Map(),
    strange: [],
  };
  readonly #options: SurgeOptions;
  readonly #codes: string[] = [];
  #students = 0;

  constructor(options: SurgeOptions) {
    this.#options = options;
    for (let index = 0; index < options.modules; index += 1) this.#codes.push(`M-${index}`);
  }

  /** Puts the modules into the catalogue and waits until all are on offer. */
  async offer(instance: { readonly http: string; readonly database: string }): Promise<void> {
    await sql(
      instance.database,
      `insert into catalogue.modules (code, title, capacity, fee_cents)
       select code, code, ${this.#options.capacity}, 0
       from unnest(array['${this.#codes.join("','")}']) code`,
    );
    for (const code of this.#codes) {
      await until(
        async () => {
          const { status } = await fetch(`${instance.http}/modules/${code}/availability`);
          return status === 200 ? true : undefined;
        },
        60_000,
        () => `${code} on offer`,
      );
    }
  }

  /** Runs until the signal; it survives whatever becomes of the instance. */
  async run(
    instance: { readonly http: string; readonly database: string },
    signal: AbortSignal,
  ): Promise<void> {
    const clients = Array.from({ length: this.#options.clients }, () =>
      this.#client(instance.http, signal),
    );
    await Promise.all([...clients, this.#owner(instance.database, signal)]);
  }

  /** Clients so far that got a yes. */
  get accepted(): number {
    return this.answers.accepted.size;
  }

  async #client(http: string, signal: AbortSignal): Promise<void> {
    const own: string[] = [];
    while (!signal.aborted) {
      const leaving = Math.random() < 0.3 ? own.pop() : undefined;
      const done =
        leaving === undefined
          ? await this.#register(http, own)
          : await this.#withdraw(http, leaving);
      // The server isn't there: what follows would be refused connections by the thousand.
      const restMs = Math.max(done ? 0 : 20, this.#options.restMs ?? 0);
      if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #register(http: string, own: string[]): Promise<boolean> {
    const moduleCode = this.#codes[Math.floor(Math.random() * this.#codes.length)] ?? "";
    const studentId = `s-${Math.floor((this.#students += 1) / 3)}`;
    const got = await post(`${http}/registrations`, { moduleCode, studentId });
    if (got?.status === 201) {
      const registrationId = got.body.registrationId ?? "";
      this.answers.accepted.set(registrationId, { registrationId, moduleCode, studentId });
      own.push(registrationId);
    } else if (!this.#refused(got)) {
      this.answers.lost.push({ moduleCode, studentId });
    }
    return this.#counted(got);
  }

  async #withdraw(http: string, registrationId: string): Promise<boolean> {
    const got = await ask(`${http}/registrations/${registrationId}`, { method: "DELETE" });
    if (got?.status === 200) this.answers.withdrawn.add(registrationId);
    else this.#refused(got);
    return this.#counted(got);
  }

  /** A clear no of the rules. */
  #refused(got: Got | undefined): boolean {
    if (got === undefined) return false;
    const code = got.body.code ?? "";
    if (got.status === 409 && refusals.has(code)) return true;
    if (got.status === 429) return true;
    if (got.status !== 503 || !troubles.has(code)) {
      this.answers.strange.push({ status: got.status, code });
    }
    return false;
  }

  #counted(got: Got | undefined): boolean {
    const kind = got ? `${got.status} ${got.body.code ?? ""}`.trim() : "no answer";
    this.answers.counts.set(kind, (this.answers.counts.get(kind) ?? 0) + 1);
    return got !== undefined && got.status < 500;
  }

  /** Raises a capacity and adds a module now and then, over whatever the database goes through. */
  async #owner(url: string, signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const code = this.#codes[turn % this.#codes.length] ?? "";
      const added = `extra-${Date.now().toString(36)}-${turn}`;
      await sql(
        url,
        `update catalogue.modules set capacity = capacity + 1 where code = '${code}';
         insert into catalogue.modules (code, title, capacity, fee_cents)
         values ('${added}', 'Added', ${turn % 7}, 0)`,
      ).catch(() => undefined);
      await delay(50, undefined, { signal }).catch(() => undefined);
    }
  }
}

interface Got {
  readonly status: number;
  readonly body: { readonly registrationId?: string; readonly code?: string };
}

const post = (url: string, body: unknown): Promise<Got | undefined> =>
  ask(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** undefined: there was no answer, or only a part of one. */
async function ask(url: string, init: RequestInit): Promise<Got | undefined> {
  try {
    const response = await fetch(url, init);
    const body = (await response.json()) as Got["body"];
    return { status: response.status, body };
  } catch {
    return undefined;
  }
}

async function sql(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end().catch(() => undefined);
  }
}
