import { describe, expect, it } from "vitest";

import { decodePositionToken } from "../../engine/position-token.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import {
  confirmPayment,
  failPayment,
  passPaymentDeadline,
  paymentIdOf,
  requestPayment,
} from "../../processors/payments/index.ts";
import { row, serverOfTest } from "./server.ts";

type Server = Awaited<ReturnType<typeof serverOfTest>>;

const card = { token: "tok_ok" };
const nowMs = Date.UTC(2026, 0, 1);

/** A seat that is held for a fee; its payment is asked for unless `requested` is false. */
async function heldSeat(given: { requested?: false } = {}) {
  const server = await serverOfTest();
  const { app, campus } = server;
  campus.history.must(offerModule({ ...row, feeCents: 7_000 }));
  const payload = { moduleCode: "MA101", studentId: "ada" };
  const response = await app.inject({ method: "POST", url: "/registrations", payload });
  const held = response.json<{ registrationId: string; paymentId: string }>();
  const request = () => requestOf(server, held.registrationId);
  if (given.requested !== false) await request();
  return { ...server, response, ...held, request };
}

async function requestOf({ campus }: Server, registrationId: string): Promise<void> {
  const part = { registrationId, moduleCode: "MA101", amountCents: 7_000 };
  campus.history.must(
    requestPayment({
      paymentId: paymentIdOf("REGISTRATION", registrationId),
      studentId: "ada",
      subjectType: "REGISTRATION",
      subjectId: registrationId,
      registrations: [part],
      expiresAt: nowMs + 900_000,
    }),
  );
  await campus.project();
}

const pay = (
  { app }: Pick<Server, "app">,
  paymentId: string,
  { key = "k-1", payload = card }: { key?: string | null; payload?: unknown } = {},
) =>
  app.inject({
    method: "POST",
    url: `/payments/${paymentId}/card`,
    payload: payload as object,
    headers: key === null ? {} : { "idempotency-key": key },
  });

describe("POST /registrations for a module with a fee", () => {
  it("answers with the hold's end and the id of the payment to make", async () => {
    const { response, registrationId } = await heldSeat();
    expect(response.statusCode).toBe(201);
    expect(response.json()).toMatchObject({
      status: "held",
      feeCents: 7_000,
      holdExpiresAt: "2026-01-01T00:15:00.000Z",
      paymentId: paymentIdOf("REGISTRATION", registrationId),
    });
  });
});

describe("POST /payments/{id}/card", () => {
  it("answers 202 with where the outcome is told, and the position that was written", async () => {
    const held = await heldSeat();
    const response = await pay(held, held.paymentId);
    expect(response.statusCode).toBe(202);
    const statusUrl = `/payments/${held.paymentId}`;
    expect(response.json()).toEqual({ paymentId: held.paymentId, status: "charging", statusUrl });
    expect(response.headers.location).toBe(statusUrl);
    const token = decodePositionToken(String(response.headers["refold-position"]));
    expect(token.lanes).toMatchObject([{ topic: "payment-events", sequence: 2n }]);
    const found = await held.app.inject({ url: statusUrl });
    expect(found.json()).toMatchObject({ status: "charging", amountCents: 7_000 });
  });

  it("is not taken without a key, and nothing is stored", async () => {
    const held = await heldSeat();
    const before = held.campus.history.facts.length;
    const response = await pay(held, held.paymentId, { key: null });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "idempotency-key-missing" });
    expect(held.campus.history.facts).toHaveLength(before);
  });

  it("waits for a payment that is about to be asked for", async () => {
    const held = await heldSeat({ requested: false });
    const paid = pay(held, held.paymentId);
    await held.request();
    expect((await paid).statusCode).toBe(202);
  });

  it("answers 404 when no such payment is asked for in time", async () => {
    const { app } = await serverOfTest();
    const response = await pay({ app }, "none");
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "payment-unknown" });
  });

  it("refuses a second card, under another key, while the first is charged", async () => {
    const held = await heldSeat();
    await pay(held, held.paymentId);
    const second = await pay(held, held.paymentId, { key: "k-2" });
    expect(second.statusCode).toBe(409);
    expect(second.json()).toMatchObject({ code: "payment-in-progress" });
  });

  it.each([
    ["confirmed", confirmPayment, { reference: "ch-1" }],
    ["failed", failPayment, { reason: "CARD_DECLINED" }],
    ["expired", passPaymentDeadline, {}],
  ] as const)("refuses a card for a payment that is %s", async (_, command, more) => {
    const held = await heldSeat();
    const { paymentId } = held;
    held.campus.history.must(command({ paymentId, provider: "sandbox", ...more } as never));
    const response = await pay(held, paymentId);
    expect(response.statusCode).toBe(409);
    expect(response.json()).toMatchObject({ code: "payment-over" });
  });

  it.each([
    ["no token", {}],
    ["an empty token", { token: "" }],
    ["a token with blanks", { token: "tok ok" }],
    ["a token that is too long", { token: "t".repeat(201) }],
    ["more than a token", { ...card, amountCents: 1 }],
  ])("answers 400 to %s", async (_, payload) => {
    const held = await heldSeat();
    const response = await pay(held, held.paymentId, { payload });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "validation" });
  });
});

describe("GET /payments/{id}", () => {
  it("tells a payment and what became of it, now and at a past time", async () => {
    const { app, campus, paymentId, registrationId } = await heldSeat();
    campus.history.nowMs += 1_000;
    campus.history.must(confirmPayment({ paymentId, provider: "sandbox", reference: "ch-1" }));
    await campus.project();
    const now = await app.inject({ url: `/payments/${paymentId}` });
    expect(now.json()).toEqual({
      paymentId,
      subjectType: "REGISTRATION",
      subjectId: registrationId,
      studentId: "ada",
      amountCents: 7_000,
      status: "confirmed",
      refundedCents: 0,
      provider: "sandbox",
      reference: "ch-1",
      reason: null,
      registrations: [{ registrationId, moduleCode: "MA101", amountCents: 7_000 }],
      expiresAt: "2026-01-01T00:15:00.000Z",
      requestedAt: "2026-01-01T00:00:00.000Z",
      endedAt: "2026-01-01T00:00:01.000Z",
      refundedAt: null,
    });
  });

  it("answers 404 for an id that no payment has", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ url: "/payments/none" });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "payment-unknown" });
  });
});

describe("GET /registrations/{id}/payments", () => {
  it("lists the payment that the seat is held for", async () => {
    const { app, paymentId, registrationId } = await heldSeat();
    const response = await app.inject({ url: `/registrations/${registrationId}/payments` });
    expect(response.json()).toMatchObject({ payments: [{ paymentId, status: "requested" }] });
  });

  it("answers 404 for an id that no registration has", async () => {
    const { app } = await serverOfTest();
    const response = await app.inject({ url: "/registrations/none/payments" });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "registration-unknown" });
  });
});
