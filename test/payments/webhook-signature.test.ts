import { describe, expect, it } from "vitest";

import {
  isSigned,
  keyOfSecret,
  signatureOf,
  WebhookReceiver,
} from "../../connectors/payments/index.ts";
import { ManualClock } from "../../engine/memory/clock.ts";
import type { WebhookHeaders } from "../../processors/payments/index.ts";

/** The example of the Standard Webhooks specification's own libraries. */
const example = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: "1614265330",
  body: Buffer.from('{"test": 2432232314}'),
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const key = keyOfSecret(example.secret);
const otherKey = keyOfSecret(`whsec_${Buffer.alloc(32, 1).toString("base64")}`);
const wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

describe("signatures of webhooks", () => {
  it("are those of the specification's example", () => {
    expect(signatureOf(example, key)).toBe(example.signature);
  });

  it("are found among several, of other versions too", () => {
    const several = [wrong, wrong.replace("v1", "v2"), example.signature, wrong].join(" ");
    expect(isSigned(example, several, [key])).toBe(true);
    expect(isSigned(example, example.signature.replace("v1,", "v2,"), [key])).toBe(false);
  });

  it("are taken of any of the secrets while one is changed for another", () => {
    expect(isSigned(example, example.signature, [otherKey, key])).toBe(true);
    expect(isSigned(example, signatureOf(example, otherKey), [otherKey, key])).toBe(true);
    expect(isSigned(example, example.signature, [otherKey])).toBe(false);
  });

  it.each(["", "v1,", "v1", wrong, example.signature.slice(0, 8), `${example.signature}=`])(
    "are not %j",
    (signatures) => {
      expect(isSigned(example, signatures, [key])).toBe(false);
    },
  );

  it("are of this id, this time and these bytes alone", () => {
    const others = [
      { ...example, id: "msg_other" },
      { ...example, timestamp: "1614265331" },
      { ...example, body: Buffer.from('{"test":2432232314}') },
    ];
    for (const other of others) expect(isSigned(other, example.signature, [key])).toBe(false);
  });

  it("need a secret of 24 to 64 bytes, with its prefix or without", () => {
    expect(keyOfSecret(example.secret.slice("whsec_".length))).toEqual(key);
    const base64 = (bytes: number): string => Buffer.alloc(bytes, 2).toString("base64");
    for (const bad of ["", "whsec_", "whsec_§§§", base64(23), base64(65)]) {
      expect(() => keyOfSecret(bad)).toThrow(TypeError);
    }
    expect(keyOfSecret(base64(64))).toHaveLength(64);
  });
});

describe("a webhook", () => {
  const nowMs = Number(example.timestamp) * 1_000;
  const receiver = (keys = [key]): WebhookReceiver =>
    new WebhookReceiver({ provider: "webhook", keys, clock: new ManualClock(nowMs) });

  const headersOf = (body: Uint8Array, timestamp = example.timestamp): WebhookHeaders => ({
    "webhook-id": "msg_1",
    "webhook-timestamp": timestamp,
    "webhook-signature": signatureOf({ id: "msg_1", timestamp, body }, key),
  });

  const receive = (message: unknown) => {
    const body = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
    return receiver().receive(body, headersOf(body));
  };

  it("tells outcomes", () => {
    const data = { paymentId: "p1", reference: "ch-1", amount: 5 };
    expect(receive({ type: "payment.confirmed", data })).toEqual({
      kind: "told",
      outcome: {
        provider: "webhook",
        paymentId: "p1",
        outcome: "confirmed",
        reference: "ch-1",
      },
    });
    const failed = { type: "payment.failed", data: { paymentId: "p1", reason: "CARD_DECLINED" } };
    expect(receive(failed)).toMatchObject({
      outcome: { paymentId: "p1", outcome: "failed", reason: "CARD_DECLINED" },
    });
  });

  it("of another type is none of our concern", () => {
    expect(receive({ type: "payout.made", data: null })).toEqual({ kind: "ignored" });
  });

  it.each([
    "",
    "[]",
    "null",
    "{",
    { data: {} },
    { type: "payment.confirmed" },
    { type: "payment.confirmed", data: { paymentId: "p1" } },
    { type: "payment.confirmed", data: { paymentId: 1, reference: "ch" } },
    { type: "payment.failed", data: { paymentId: "p1", reason: "x".repeat(256) } },
  ])("that is signed and makes no sense is refused: %j", (message) => {
    expect(receive(message)).toMatchObject({ kind: "refused", code: "webhook-invalid" });
  });

  it("is refused without its headers, or with one that came twice", () => {
    const body = Buffer.from("{}");
    const headers = headersOf(body);
    for (const name of Object.keys(headers)) {
      for (const value of [undefined, "", ["a", "b"]]) {
        const verdict = receiver().receive(body, { ...headers, [name]: value });
        expect(verdict).toMatchObject({ kind: "refused", code: "signature-invalid" });
      }
    }
  });

  it("is refused when its body is not what was signed", () => {
    const signed = headersOf(Buffer.from('{"type":"payment.failed"}'));
    const verdict = receiver().receive(Buffer.from('{"type":"payment.confirmed"}'), signed);
    expect(verdict).toMatchObject({ code: "signature-invalid" });
  });

  it("is refused from five minutes on, before and after", () => {
    const body = Buffer.from('{"type":"other"}');
    const at = (seconds: number) =>
      receiver().receive(body, headersOf(body, String(nowMs / 1_000 + seconds))).kind;
    expect([at(-300), at(300), at(0)]).toEqual(["ignored", "ignored", "ignored"]);
    expect([at(-301), at(301)]).toEqual(["refused", "refused"]);
  });

  it.each(["", "1e9", "1614265330.5", "-1", "now", " 1614265330"])(
    "is refused with the time %j",
    (timestamp) => {
      const body = Buffer.from('{"type":"other"}');
      const verdict = receiver().receive(body, headersOf(body, timestamp));
      expect(verdict).toMatchObject({ code: "signature-invalid" });
    },
  );
});
