import { describe, expect, it } from "vitest";

import { keyOfSecret, signatureOf, WebhookReceiver } from "../../connectors/payments/index.ts";
import { requestPayment } from "../../processors/payments/index.ts";
import { realClock } from "./real-clock.ts";
import { serverOfTest } from "./server.ts";

const secret = `whsec_${Buffer.from("a secret of the tests, 24 bytes").toString("base64")}`;
const key = keyOfSecret(secret);

async function campusWithProvider() {
  const receiver = new WebhookReceiver({ provider: "bank", keys: [key], clock: realClock });
  const server = await serverOfTest({ deps: { webhooks: [receiver] } });
  const { app, campus } = server;
  campus.history.must(
    requestPayment({
      paymentId: "p-1",
      studentId: "ada",
      subjectType: "REGISTRATION",
      subjectId: "r-1",
      registrations: [{ registrationId: "r-1", moduleCode: "MA101", amountCents: 7_000 }],
      expiresAt: campus.history.nowMs + 900_000,
    }),
  );
  const send = (body: string | Buffer, headers = signed(body), provider = "bank") =>
    app.inject({
      method: "POST",
      url: `/payments/webhooks/${provider}`,
      payload: body,
      headers: { "content-type": "application/json", ...headers },
    });
  const names = () => campus.history.facts.map(({ type }) => type.name);
  return { ...server, send, names };
}

/** Headers of a message as the provider signs it. */
function signed(body: string | Buffer, atMs = Date.now()): Record<string, string> {
  const id = "msg-1";
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = signatureOf({ id, timestamp, body: Buffer.from(body) }, key);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signature,
  };
}

const told = (type: string, data: object): string => JSON.stringify({ type, data });
const confirmed = told("payment.confirmed", { paymentId: "p-1", reference: "ch-1" });

describe("POST /payments/webhooks/{provider}", () => {
  it("records what a provider tells, once however often it is told", async () => {
    const { send, names } = await campusWithProvider();
    const first = await send(confirmed);
    expect(first.statusCode).toBe(204);
    expect(first.body).toBe("");
    expect((await send(confirmed)).statusCode).toBe(204);
    expect(names()).toEqual(["PaymentRequested", "PaymentConfirmed"]);
  });

  it("records a failure with its reason", async () => {
    const { campus, send } = await campusWithProvider();
    await send(told("payment.failed", { paymentId: "p-1", reason: "CARD_DECLINED" }));
    expect(campus.history.facts.at(-1)?.event).toMatchObject({
      provider: "bank",
      reason: "CARD_DECLINED",
    });
  });

  it("takes a signature over the very bytes, whatever JSON they are", async () => {
    const { send } = await campusWithProvider();
    expect((await send(`  ${confirmed}\n`)).statusCode).toBe(204);
    const headers = signed(confirmed);
    const changed = await send(`${confirmed} `, headers);
    expect(changed.statusCode).toBe(401);
    expect(changed.json()).toMatchObject({ code: "signature-invalid" });
  });

  it("takes what is none of its concern, and does nothing", async () => {
    const { send, names } = await campusWithProvider();
    expect((await send(told("customer.created", {}))).statusCode).toBe(204);
    expect(names()).toEqual(["PaymentRequested"]);
  });

  const wrong: [string, () => Record<string, string>][] = [
    ["nothing of a signature", () => ({})],
    ["a signature of something else", () => signed("{}")],
    ["a message of ten minutes ago", () => signed(confirmed, Date.now() - 600_000)],
    ["a message of ten minutes ahead", () => signed(confirmed, Date.now() + 600_000)],
  ];
  it.each(wrong)("refuses %s with 401, and records nothing", async (_, headers) => {
    const { send, names } = await campusWithProvider();
    const response = await send(confirmed, headers());
    expect(response.statusCode).toBe(401);
    expect(response.json()).toMatchObject({ code: "signature-invalid" });
    expect(names()).toEqual(["PaymentRequested"]);
  });

  it.each([
    ["what is no JSON", "{", 400, "webhook-invalid"],
    ["bytes that are no text", Buffer.from([0xff, 0xfe]), 400, "webhook-invalid"],
    ["an outcome of no payment", told("payment.failed", { reason: "X" }), 400, "webhook-invalid"],
    [
      "an outcome of a payment that there is not",
      told("payment.confirmed", { paymentId: "none", reference: "ch" }),
      404,
      "payment-unknown",
    ],
    ["more bytes than are taken", `"${"x".repeat(20_000)}"`, 413, "body-too-large"],
  ])("refuses %s", async (_, body, status, code) => {
    const { send, names } = await campusWithProvider();
    const response = await send(body);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ code });
    expect(names()).toEqual(["PaymentRequested"]);
  });

  it("answers 404 for a provider that tells nothing here", async () => {
    const { send } = await campusWithProvider();
    const response = await send(confirmed, signed(confirmed), "elsewhere");
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ code: "provider-unknown" });
  });

  it("answers 503 while an import holds the store, so that it is told again", async () => {
    const { campus, send } = await campusWithProvider();
    campus.heldBy = "import oulad";
    expect((await send(confirmed)).statusCode).toBe(503);
    campus.heldBy = undefined;
    expect((await send(confirmed)).statusCode).toBe(204);
  });
});
