import { randomUUID } from "node:crypto";

import { expect, test } from "vitest";

import { ask, availability, type Got } from "./refold-instance.ts";
import { until } from "./refold-process.ts";

/** What the journeys of whole workflows need of the system that they are made in. */
export interface WorkflowSystem {
  /** Of the API, as it listens now. */
  readonly http: () => string;
  readonly sql: (text: string) => Promise<unknown>;
}

interface Module {
  readonly code: string;
  readonly capacity: number;
  readonly feeCents: number;
}

const withinMs = 30_000;

/** A registration that is paid for, a line that moves up, enrolments that succeed or are undone. */
export function workflows(system: WorkflowSystem): void {
  test("a seat with a fee is held, paid by card, and completed; the card's answer is repeated", async () => {
    const { app, offered } = journeyOf(system);
    await offered({ code: "PAY-1", capacity: 2, feeCents: 7_000 });
    const held = await app.register("PAY-1", "s-1");
    expect(held).toMatchObject({ status: 201, body: { status: "held", feeCents: 7_000 } });
    const { registrationId, paymentId } = held.body;
    const card = () => app.pay(paymentId, { token: "tok_ok", key: "pay-1" });
    const first = await card();
    expect(first).toMatchObject({ status: 202, body: { status: "charging" } });
    await app.untilTold(`/registrations/${String(registrationId)}`, { status: "completed" });
    const again = await card();
    expect(again).toMatchObject({ status: 202, body: first.body });
    await app.untilTold(`/payments/${String(paymentId)}`, { status: "confirmed" });
    const paid = await ask(`${app.http}/registrations/${String(registrationId)}/payments`);
    expect(paid.body).toMatchObject({ payments: [{ paymentId, status: "confirmed" }] });
  });

  test("a card that is declined costs the seat, which is free again", async () => {
    const { app, offered } = journeyOf(system);
    await offered({ code: "PAY-2", capacity: 1, feeCents: 7_000 });
    const { registrationId, paymentId } = (await app.register("PAY-2", "s-1")).body;
    await app.pay(paymentId, { token: "tok_declined", key: "pay-2" });
    const ended = { status: "cancelled", reason: "PAYMENT_FAILED" };
    await app.untilTold(`/registrations/${String(registrationId)}`, ended);
    await app.untilTold("/modules/PAY-2/availability", { available: 1, held: 0, confirmed: 0 });
    const late = await app.pay(paymentId, { token: "tok_ok", key: "pay-2-again" });
    expect(late).toMatchObject({ status: 409, body: { code: "payment-over" } });
  });

  test("two students wait in line, and a seat that becomes free is offered to the first", async () => {
    const { app, offered } = journeyOf(system);
    await offered({ code: "LINE-1", capacity: 1, feeCents: 0 });
    const seat = (await app.register("LINE-1", "s-1")).body["registrationId"];
    const [first, second] = [await app.wait("LINE-1", "s-2"), await app.wait("LINE-1", "s-3")];
    await app.untilTold(second, { status: "waiting", place: 2 });
    await ask(`${app.http}/registrations/${String(seat)}`, { method: "DELETE" });
    await app.untilTold(first, { status: "offered", place: 0 });
    await app.untilTold(second, { status: "waiting", place: 1 });
    expect((await app.register("LINE-1", "s-4")).body).toMatchObject({ code: "module-full" });
    expect((await app.register("LINE-1", "s-2")).body).toMatchObject({ status: "completed" });
    await ask(`${app.http}${first}`, { method: "DELETE" });
    await app.untilTold(second, { status: "offered", place: 0 });
    await ask(`${app.http}${second}`, { method: "DELETE" });
    await app.untilTold("/modules/LINE-1/availability", { available: 1, held: 0, confirmed: 0 });
  });

  test("an enrolment in two modules is paid once and completed, and the chain after it ends", async () => {
    const { app, offered } = journeyOf(system);
    await offered({ code: "ENR-1", capacity: 1, feeCents: 5_000 });
    await offered({ code: "ENR-2", capacity: 1, feeCents: 2_000 });
    const path = await app.enrol(["ENR-1", "ENR-2"], "enr-1");
    await app.payEnrolment(path, "tok_ok");
    const done = await app.untilTold(path, { status: "completed", attempt: 1 });
    expect(statesOf(done)).toEqual(["done", "done", "done", "done", "done"]);
    const finished = await until(
      async () => {
        const { body } = await ask(`${app.http}${path}`);
        const chain = body["chain"] as Readonly<Record<string, unknown>>;
        return chain["onboardingFinished"] === null ? undefined : chain;
      },
      withinMs,
      () => "onboarding finished",
    );
    expect(finished["libraryCard"]).toMatchObject({ cardNumber: expect.any(String) as string });
    expect(finished["accommodation"]).toMatchObject({ residence: expect.any(String) as string });
    expect((await availability(app.http, "ENR-1")).body).toMatchObject({ confirmed: 1, held: 0 });
  });

  test("an enrolment with a full module is undone, and resubmitted when there is a seat", async () => {
    const { app, offered } = journeyOf(system);
    await offered({ code: "ENR-3", capacity: 1, feeCents: 5_000 });
    await offered({ code: "ENR-4", capacity: 0, feeCents: 0 });
    const path = await app.enrol(["ENR-3", "ENR-4"], "enr-2");
    await app.untilTold(path, { status: "reversed", reason: "module-full" });
    await app.untilTold("/modules/ENR-3/availability", { available: 1, held: 0 });
    await system.sql("update catalogue.modules set capacity = 1 where code = 'ENR-4'");
    await app.untilTold("/modules/ENR-4/availability", { available: 1 });
    const again = await app.post(`${path}/resubmit`, { key: "enr-2-again" });
    expect(again).toMatchObject({ status: 202, body: { attempt: 2 } });
    await app.payEnrolment(path, "tok_ok");
    await app.untilTold(path, { status: "completed", attempt: 2 });
  });
}

interface Step {
  readonly name: string;
  readonly state: string;
  readonly paymentId: string | null;
}

const statesOf = ({ body }: Got): readonly string[] =>
  (body["steps"] as readonly Step[]).map(({ state }) => state);

function journeyOf({ http, sql }: WorkflowSystem) {
  const app = new Client(http());
  return {
    app,
    /** Puts a module into the catalogue, and waits until it is on offer. */
    offered: async ({ code, capacity, feeCents }: Module) => {
      await sql(
        `insert into catalogue.modules (code, title, capacity, fee_cents)
         values ('${code}', 'Programming', ${capacity}, ${feeCents})
         on conflict (code) do nothing`,
      );
      await app.untilTold(`/modules/${code}/availability`, { capacity });
    },
  };
}

/** Somebody at work with the API. */
class Client {
  readonly http: string;

  constructor(http: string) {
    this.http = http;
  }

  post(
    path: string,
    { body, key }: { readonly body?: object; readonly key: string },
  ): Promise<Got> {
    const json = { "content-type": "application/json" };
    return ask(`${this.http}${path}`, {
      method: "POST",
      headers: { "idempotency-key": `"${key}"`, ...(body === undefined ? {} : json) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  register(moduleCode: string, studentId: string): Promise<Got> {
    return this.post("/registrations", { body: { moduleCode, studentId }, key: randomUUID() });
  }

  /** Joins a line. @returns the path of the registration. */
  async wait(moduleCode: string, studentId: string): Promise<string> {
    const body = { moduleCode, studentId, waitlist: true };
    const got = await this.post("/registrations", { body, key: randomUUID() });
    expect(got).toMatchObject({ status: 202, body: { status: "waiting" } });
    return `/registrations/${String(got.body["registrationId"])}`;
  }

  pay(
    paymentId: unknown,
    { token, key }: { readonly token: string; readonly key: string },
  ): Promise<Got> {
    return this.post(`/payments/${String(paymentId)}/card`, { body: { token }, key });
  }

  /** @returns the path of the enrolment's status. */
  async enrol(moduleCodes: readonly string[], key: string): Promise<string> {
    const got = await this.post("/enrolments", { body: { studentId: "ada", moduleCodes }, key });
    expect(got.status).toBe(202);
    return String(got.body["statusUrl"]);
  }

  /** Pays what the enrolment asks for, once it does. */
  async payEnrolment(path: string, token: string): Promise<void> {
    const paymentId = await until(
      async () => {
        const { body } = await ask(`${this.http}${path}`);
        // The read model may not have the enrolment yet.
        const steps = body["steps"] as readonly Step[] | undefined;
        return steps?.find(({ name }) => name === "payment")?.paymentId ?? undefined;
      },
      withinMs,
      () => `a payment of ${path}`,
    );
    expect((await this.pay(paymentId, { token, key: randomUUID() })).status).toBe(202);
  }

  /** Asks until the answer has these members. */
  untilTold(path: string, wanted: Readonly<Record<string, unknown>>): Promise<Got> {
    let last: Got | undefined;
    return until(
      async () => {
        last = await ask(`${this.http}${path}`);
        const is = Object.entries(wanted).every(([name, value]) => last?.body[name] === value);
        return is ? last : undefined;
      },
      withinMs,
      () => `${path} with ${JSON.stringify(wanted)}, not ${JSON.stringify(last?.body)}`,
    );
  }
}
