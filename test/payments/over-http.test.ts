import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, it, onTestFinished } from "vitest";

import {
  keyOfSecret,
  signatureOf,
  WebhookProvider,
  webhookProviderName,
  WebhookReceiver,
} from "../../connectors/payments/index.ts";
import { SeededRandom } from "../../engine/memory/clock.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { outcomeCommand, payByCard, paymentIdOf } from "../../processors/payments/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { payments } from "../../projections/payments/index.ts";
import { realClock } from "../engine/process.ts";
import { University } from "../workflow/university.ts";

const key = keyOfSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

interface Asked {
  readonly route: string;
  readonly key: string;
}

/** A bank over HTTP: its first answer to everything is that it can't now. */
async function bank(): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const answers: Readonly<Record<string, unknown>> = {
    "/payments": { status: "pending" },
    "/charges": { status: "pending" },
    "/refunds": { reference: "re-1" },
  };
  const server = createServer((request, response) => {
    request.resume();
    const { url: route = "" } = request;
    const again = asked.some((one) => one.route === route);
    asked.push({ route, key: String(request.headers["idempotency-key"]) });
    response.writeHead(again ? 200 : 503).end(JSON.stringify(answers[route]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What the bank sends, as the API would get it. */
function heard(data: Readonly<Record<string, string>>) {
  const body = Buffer.from(JSON.stringify({ type: "payment.confirmed", data }));
  const message = { id: "msg_1", timestamp: String(Math.floor(realClock.nowMs() / 1_000)), body };
  const receiver = new WebhookReceiver({
    provider: webhookProviderName,
    keys: [key],
    clock: realClock,
  });
  const verdict = receiver.receive(body, {
    "webhook-id": message.id,
    "webhook-timestamp": message.timestamp,
    "webhook-signature": signatureOf(message, key),
  });
  if (verdict.kind !== "told") throw new Error(JSON.stringify(verdict));
  return verdict.outcome;
}

it("a provider over HTTP is asked under one key, told of twice, and pays back once", async () => {
  const { url, asked } = await bank();
  const provider = new WebhookProvider({ url, key, clock: realClock });
  await using university = await University.open({ random: new SeededRandom(3), provider });
  const times = { opensAt: null, closesAt: null };
  const module = { moduleCode: "MA101", title: "Algebra", capacity: 1, feeCents: 100, ...times };
  await university.command(offerModule(module));
  const registered = await university.command(register({ moduleCode: "MA101", studentId: "ada" }));
  if (registered.outcome !== "accepted") throw new Error(registered.outcome);
  const { registrationId } = registered.answer;
  const paymentId = paymentIdOf("REGISTRATION", registrationId);
  const status = async (): Promise<unknown> =>
    (await university.rows(payments)).get(paymentId)?.["status"];
  await university.quiet();
  await university.command(payByCard({ paymentId, token: "card-1" }));
  await university.quiet();
  expect(await status()).toBe("charging");
  for (const _ of [1, 2]) {
    await university.command(outcomeCommand(heard({ paymentId, reference: "ch-1" })));
  }
  await university.quiet();
  expect(await status()).toBe("confirmed");
  await university.command(withdraw({ registrationId }));
  await university.quiet();
  expect(await status()).toBe("refunded");
  const charge = `"payment.charge/${paymentId}"`;
  const refund = `"payment.refund/${paymentId}/${registrationId}"`;
  expect(asked).toEqual([
    { route: "/payments", key: charge },
    { route: "/payments", key: charge },
    { route: "/charges", key: charge },
    { route: "/charges", key: charge },
    { route: "/refunds", key: refund },
    { route: "/refunds", key: refund },
  ]);
});
