import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, it, onTestFinished } from "vitest";

import { isSigned, keyOfSecret, WebhookProvider } from "../../connectors/payments/index.ts";
import { TransientError } from "../../engine/errors.ts";
import type { ChargeCard, RefundPart } from "../../processors/payments/index.ts";
import { realClock } from "../engine/process.ts";

const key = keyOfSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

interface Heard {
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** A provider's server, and what it has heard. */
async function serve(answer: RequestListener) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      heard.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { heard, server, url: `http://ann:secret@127.0.0.1:${port}/v1/` };
}

const answering =
  (status: number, body: string): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(body);

const signal = new AbortController().signal;

const charge: ChargeCard = {
  key: "payment.charge/p1",
  paymentId: "p1",
  amountCents: 500,
  studentId: "ada",
  registrationIds: ["r1"],
  expiresAtMs: Date.UTC(2026, 0, 1),
  card: { token: "card-1" },
  signal,
};

const part: RefundPart = {
  key: "payment.refund/p1/r1",
  paymentId: "p1",
  registrationId: "r1",
  studentId: "ada",
  amountCents: 500,
  provider: "webhook",
  reference: "ch-1",
  reason: "LATE",
  signal,
};

async function provider(answer: RequestListener, timeoutMs = 5_000) {
  const { url, heard } = await serve(answer);
  return { heard, provider: new WebhookProvider({ url, key, clock: realClock, timeoutMs }) };
}

it("asks under the idempotency key, signed, and reads the outcome", async () => {
  const confirmed = '{"status":"confirmed","reference":"ch-1"}';
  const { provider: asked, heard } = await provider(answering(201, confirmed));
  expect(await asked.charge(charge)).toEqual({ outcome: "confirmed", reference: "ch-1" });
  const [{ url, headers, body }] = heard as [Heard];
  expect(url).toBe("/v1/charges");
  expect(headers["idempotency-key"]).toBe('"payment.charge/p1"');
  expect(headers.authorization).toBe(`Basic ${Buffer.from("ann:secret").toString("base64")}`);
  const id = String(headers["webhook-id"]);
  const timestamp = String(headers["webhook-timestamp"]);
  expect(isSigned({ id, timestamp, body }, String(headers["webhook-signature"]), [key])).toBe(true);
  expect(JSON.parse(body.toString())).toEqual({
    paymentId: "p1",
    amountCents: 500,
    studentId: "ada",
    registrationIds: ["r1"],
    expiresAt: "2026-01-01T00:00:00.000Z",
    token: "card-1",
  });
});

it("opens payments, and pays back parts of charges", async () => {
  const opened = await provider(answering(200, '{"status":"pending"}'));
  expect(await opened.provider.open(charge)).toEqual({ outcome: "pending" });
  expect(opened.heard[0]?.url).toBe("/v1/payments");
  expect(JSON.parse(String(opened.heard[0]?.body))).not.toHaveProperty("token");
  const back = await provider(answering(200, '{"reference":"re-1"}'));
  expect(await back.provider.refund(part)).toEqual({ reference: "re-1" });
  expect(back.heard[0]?.headers["idempotency-key"]).toBe('"payment.refund/p1/r1"');
});

it("takes a refused card for an outcome", async () => {
  const failed = '{"status":"failed","reason":"CARD_DECLINED"}';
  const { provider: asked } = await provider(answering(200, failed));
  expect(await asked.charge(charge)).toEqual({ outcome: "failed", reason: "CARD_DECLINED" });
});

it.each([408, 409, 425, 429, 500, 503])("is tried again after %i", async (status) => {
  const { provider: asked } = await provider(answering(status, "{}"));
  await expect(asked.charge(charge)).rejects.toThrow(TransientError);
});

it.each([
  [400, "{}"],
  [401, "{}"],
  [404, "{}"],
  [302, "{}"],
  [200, "<html>"],
  [200, "[1"],
  [200, '{"status":"maybe"}'],
  [200, '{"status":"confirmed"}'],
  [200, `{"status":"pending","more":"${"x".repeat(70_000)}"}`],
])("is given up after %i %.20s", async (status, body) => {
  const { provider: asked } = await provider(answering(status, body));
  const answer = asked.charge(charge);
  await expect(answer).rejects.toThrow(Error);
  await expect(answer).rejects.not.toBeInstanceOf(TransientError);
});

it("is tried again when no answer comes in time, or the connection breaks", async () => {
  const silent = await provider(() => undefined, 50);
  await expect(silent.provider.charge(charge)).rejects.toThrow(TransientError);
  const broken = await provider((request) => void request.socket.destroy());
  await expect(broken.provider.charge(charge)).rejects.toThrow(TransientError);
  const { url, server } = await serve(() => undefined);
  await new Promise((resolve) => server.close(resolve));
  const nowhere = new WebhookProvider({ url, key, clock: realClock });
  await expect(nowhere.charge(charge)).rejects.toThrow("ECONNREFUSED");
});

it("stops waiting when it is told to", async () => {
  const { provider: asked } = await provider(() => undefined);
  const stopping = new AbortController();
  const answer = asked.charge({ ...charge, signal: stopping.signal });
  stopping.abort();
  await expect(answer).rejects.toThrow(TransientError);
});
