import { until } from "../e2e/refold-process.ts";
import type { Answer, KeyedClient } from "./keyed-client.ts";

interface Step {
  readonly name: string;
  readonly paymentId: string | null;
}

/** Most are charged in the end, some only after answers that were lost. */
const cards = ["tok_ok", "tok_ok", "tok_lost_answer", "tok_duplicate", "tok_declined"] as const;

const drawn = <Item>(items: readonly Item[]): Item =>
  items[Math.floor(Math.random() * items.length)] as Item;

const told = ({ text }: Answer) => JSON.parse(text) as Readonly<Record<string, unknown>>;

/**
 * People who register, enrol, pay and withdraw, each to the end of what was begun: nobody leaves a
 * seat held.
 */
export class Registrars {
  readonly #client: KeyedClient;
  readonly #modules: readonly string[];
  #students = 0;

  constructor(client: KeyedClient, modules: readonly string[]) {
    this.#client = client;
    this.#modules = modules;
  }

  /** So many at once; after the signal each ends what is begun, and begins nothing. */
  async run(count: number, signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#registrar(signal)));
  }

  async #registrar(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const student = `s-${(this.#students += 1)}`;
      await (Math.random() < 0.4 ? this.#enrols(student) : this.#registers(student));
    }
  }

  async #registers(student: string): Promise<void> {
    const body = { moduleCode: drawn(this.#modules), studentId: student };
    const key = `register ${student}`;
    const given = await this.#client.send({ method: "POST", path: "/registrations", key, body });
    const { registrationId, paymentId } = told(given);
    if (given.status !== 201) return;
    if (typeof paymentId === "string") await this.#pays(paymentId);
    if (Math.random() < 0.3) await this.#withdraws(String(registrationId));
  }

  async #withdraws(registrationId: string): Promise<void> {
    const path = `/registrations/${registrationId}`;
    await this.#client.send({ method: "DELETE", path, key: `withdraw ${registrationId}` });
  }

  async #enrols(student: string): Promise<void> {
    const first = drawn(this.#modules);
    const second = drawn(this.#modules.filter((code) => code !== first));
    const body = { studentId: student, moduleCodes: [first, second] };
    const key = `enrol ${student}`;
    const begun = await this.#client.send({ method: "POST", path: "/enrolments", key, body });
    const paymentId = await this.#paymentOf(String(told(begun)["statusUrl"]));
    if (paymentId !== undefined) await this.#pays(paymentId);
  }

  /** The payment that an enrolment asks for; undefined: it is over without one. */
  async #paymentOf(statusUrl: string): Promise<string | undefined> {
    const found = await until(
      async () => {
        const { status, steps } = await this.#client.get(statusUrl);
        const payment = (steps as readonly Step[]).find(({ name }) => name === "payment");
        const { paymentId = null } = payment ?? {};
        return paymentId !== null || status !== "running" ? { paymentId } : undefined;
      },
      60_000,
      () => `a payment of ${statusUrl}, or its end`,
    );
    return found.paymentId ?? undefined;
  }

  /** A payment that nobody knows yet, after a crash, is asked for under another key. */
  async #pays(paymentId: string): Promise<void> {
    const command = {
      method: "POST",
      path: `/payments/${paymentId}/card`,
      body: { token: drawn(cards) },
    } as const;
    for (let turn = 1; ; turn += 1) {
      const key = `pay ${paymentId} ${turn}`;
      if ((await this.#client.send({ ...command, key })).status !== 404) return;
    }
  }
}
