import { describe, expect, it } from "vitest";

import {
  accept,
  type CommandCall,
  defineCommand,
  fact,
  type Fact,
} from "../../engine/decision/definition.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { paymentIdOf, requestPayment } from "../../processors/payments/index.ts";
import { registerWith, withdraw } from "../../processors/seats/index.ts";
import { EnrolmentReversed } from "../../schemas/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { processOn, type SharedStore } from "./keyed-commands.ts";
import { row } from "./server.ts";

interface Ask {
  readonly method: "POST" | "DELETE";
  readonly url: string;
  readonly payload?: object;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Of when the answer went out, or of its connection. */
const ofTheMoment = new Set(["date", "connection", "keep-alive"]);

const register = registerWith({ studentModuleLimit: "unlimited" });

/** Puts facts down as they are. */
const record = defineCommand({
  name: "record",
  reads: () => ({}),
  decide: (facts: readonly Fact[]) => accept(facts, undefined),
});

let keys = 0;

/** Two processes on a store, and what is asked of one and asked again of both. */
async function processesOn(store: SharedStore) {
  const [one, other] = [await processOn(store), await processOn(store)];
  const send = async ({ app }: typeof one, ask: Ask, key: string): Promise<Answer> => {
    const headers = { "idempotency-key": key, "x-correlation-id": key };
    const answer = await app.inject({ ...ask, headers });
    const kept = Object.entries(answer.headers).filter(([name]) => !ofTheMoment.has(name));
    return { status: answer.statusCode, headers: Object.fromEntries(kept), body: answer.body };
  };
  /** Sends it, and once `meanwhile` has happened again, to both: they answer the same bytes. */
  const replayed = async (ask: Ask, meanwhile: readonly CommandCall[] = []): Promise<Answer> => {
    const key = `key-${(keys += 1)}`;
    const first = await send(one, ask, key);
    expect(first.headers["idempotency-replayed"]).toBeUndefined();
    for (const call of meanwhile) await other.must(call);
    const headers = { ...first.headers, "idempotency-replayed": "true" };
    for (const process of [one, other]) {
      expect(await send(process, ask, key)).toEqual({ ...first, headers });
    }
    return first;
  };
  return { must: one.must, replayed };
}

/** Moves the lane of MA101. */
const more = offerModule({ ...row, capacity: 3 });

/** What every store promises of answers under keys, by route. */
export function replayConformance(adapter: string, storeOf: () => Promise<SharedStore>): void {
  describe(`a command that comes again under its key gets the same bytes, ${adapter}`, () => {
    registering(storeOf);
    withdrawing(storeOf);
    paying(storeOf);
    enrolling(storeOf);
  });
}

type StoreOf = () => Promise<SharedStore>;

function registering(storeOf: StoreOf): void {
  const ask = (moduleCode: string, studentId: string, over: object = {}): Ask => ({
    method: "POST",
    url: "/registrations",
    payload: { moduleCode, studentId, ...over },
  });

  it("POST /registrations", async () => {
    const store = await storeOf();
    const { must, replayed } = await processesOn(store);
    await must(offerModule(row));
    await must(offerModule({ ...row, moduleCode: "PH101", feeCents: 700 }));
    await must(offerModule({ ...row, moduleCode: "CH101", capacity: 0 }));
    const completed = await replayed(ask("MA101", "ada"), [more]);
    expect(completed).toMatchObject({ status: 201 });
    expect(await timeOf(store, completed)).toBe(timeIn(completed));
    const held = await replayed(ask("PH101", "ada"), [more]);
    expect(held).toMatchObject({ status: 201 });
    expect(JSON.parse(held.body)).toMatchObject({ status: "held", feeCents: 700 });
    expect(await timeOf(store, held)).toBe(timeIn(held));
    const waiting = await replayed(ask("CH101", "ada", { waitlist: true }), [more]);
    expect(waiting).toMatchObject({ status: 202 });
    // Nothing is left to do: the position is what has come until the answer goes out.
    expect(await replayed(ask("CH101", "ada"))).toMatchObject({
      ...waiting,
      headers: { "refold-position": waiting.headers["refold-position"] },
    });
    const seats = offerModule({ ...row, moduleCode: "CH101", capacity: 9 });
    expect(await replayed(ask("CH101", "bob"), [seats])).toMatchObject({ status: 409 });
    const offered = offerModule({ ...row, moduleCode: "XX" });
    expect(await replayed(ask("XX", "ada"), [offered])).toMatchObject({ status: 404 });
  });
}

const timeIn = ({ body }: Answer): number =>
  Date.parse((JSON.parse(body) as { readonly registeredAt: string }).registeredAt);

/** When the registration that an answer tells of was recorded. */
async function timeOf({ eventStore }: SharedStore, { body }: Answer): Promise<number | undefined> {
  const { registrationId } = JSON.parse(body) as { readonly registrationId: string };
  const first = { items: [{ tags: [`registration:${registrationId}`] }], limit: 1 };
  for await (const events of eventStore.read(first)) return events[0]?.recordedAtMs;
  return undefined;
}

function withdrawing(storeOf: StoreOf): void {
  const ask = (registrationId: string): Ask => ({
    method: "DELETE",
    url: `/registrations/${registrationId}`,
  });

  it("DELETE /registrations/:id", async () => {
    const { must, replayed } = await processesOn(await storeOf());
    await must(offerModule(row));
    const registrationId = "registration-1";
    expect(await replayed(ask(registrationId))).toMatchObject({ status: 404 });
    await must(register({ moduleCode: "MA101", studentId: "ada", registrationId }));
    const once = await replayed(ask(registrationId), [more]);
    expect(once).toMatchObject({ status: 200 });
    const twice = await replayed(ask(registrationId));
    expect(twice).toMatchObject({ status: 200, body: once.body });
    // It was so already, and its position has what came since.
    expect(twice.headers["refold-position"]).not.toBe(once.headers["refold-position"]);
  });
}

function paying(storeOf: StoreOf): void {
  const ask = (paymentId: string): Ask => ({
    method: "POST",
    url: `/payments/${paymentId}/card`,
    payload: { token: "tok_ok" },
  });

  const asked = (registrationId: string, paymentId: string): CommandCall =>
    requestPayment({
      paymentId,
      studentId: "ada",
      subjectType: "REGISTRATION",
      subjectId: registrationId,
      registrations: [{ registrationId, moduleCode: "MA101", amountCents: 700 }],
      expiresAt: Date.now() + 900_000,
    });

  it("POST /payments/:id/card", async () => {
    const { must, replayed } = await processesOn(await storeOf());
    await must(offerModule({ ...row, feeCents: 700 }));
    const registrationId = "registration-1";
    const paymentId = paymentIdOf("REGISTRATION", registrationId);
    const request = asked(registrationId, paymentId);
    expect(await replayed(ask(paymentId), [request])).toMatchObject({ status: 404 });
    const end = withdraw({ registrationId });
    await must(register({ moduleCode: "MA101", studentId: "ada", registrationId }));
    expect(await replayed(ask(paymentId), [end])).toMatchObject({ status: 202 });
    expect(await replayed(ask(paymentId))).toMatchObject({ status: 409 });
  });
}

function enrolling(storeOf: StoreOf): void {
  const ask = (moduleCodes: readonly string[]): Ask => ({
    method: "POST",
    url: "/enrolments",
    payload: { studentId: "ada", moduleCodes },
  });
  const again = (id: string): Ask => ({ method: "POST", url: `/enrolments/${id}/resubmit` });

  const reversed = (enrolmentId: string): CommandCall =>
    record([
      fact(enrolmentEvents, EnrolmentReversed, {
        enrolmentId,
        studentId: "ada",
        attempt: 1,
        reason: "module-full",
      }),
    ]);

  it("POST /enrolments, and POST /enrolments/:id/resubmit", async () => {
    const { must, replayed } = await processesOn(await storeOf());
    const offered = offerModule({ ...row, moduleCode: "PH101" });
    await must(offerModule(row));
    expect(await replayed(ask(["MA101", "PH101"]), [offered])).toMatchObject({ status: 404 });
    expect(await replayed(ask([]))).toMatchObject({ status: 422 });
    const begun = await replayed(ask(["MA101", "PH101"]), [more]);
    expect(begun).toMatchObject({ status: 202 });
    const { enrolmentId } = JSON.parse(begun.body) as { readonly enrolmentId: string };
    const over = reversed(enrolmentId);
    expect(await replayed(again(enrolmentId), [over])).toMatchObject({ status: 409 });
    const resubmitted = await replayed(again(enrolmentId), [more]);
    expect(resubmitted).toMatchObject({ status: 202 });
    expect(JSON.parse(resubmitted.body)).toMatchObject({ enrolmentId, attempt: 2 });
  });
}
