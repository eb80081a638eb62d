import { expect, test } from "vitest";

import { CommandFailure } from "../../bin/command-failure.ts";
import { placeOf } from "../../bin/environment.ts";
import { paymentSettingsOf, sandboxPayments } from "../../bin/payment-settings.ts";
import { keyOfSecret } from "../../connectors/payments/index.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const other = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const url = "https://pay.example/v1";

const faultOf = (settings: Record<string, string>): string => {
  try {
    paymentSettingsOf(settings);
  } catch (error) {
    if (error instanceof CommandFailure) return error.message;
  }
  throw new Error("It was taken.");
};

test("payments are played where nothing is set", () => {
  expect(placeOf({}, {}).paymentSettings).toEqual(sandboxPayments);
  const paid = paymentSettingsOf({ REFOLD_PAYMENTS: "sandbox", REFOLD_SANDBOX_CARD: "tok_ok" });
  expect(paid).toEqual({ provider: "sandbox", autoCard: "tok_ok" });
});

test("a provider over HTTP has a URL, and a secret or several", () => {
  const webhook = { REFOLD_PAYMENTS: "webhook", REFOLD_PAYMENTS_URL: url };
  expect(paymentSettingsOf({ ...webhook, REFOLD_PAYMENTS_SECRET: secret })).toEqual({
    provider: "webhook",
    url,
    keys: [keyOfSecret(secret)],
  });
  const rotating = { ...webhook, REFOLD_PAYMENTS_SECRETS: `${other}, ${secret}` };
  expect(paymentSettingsOf(rotating)).toMatchObject({
    keys: [keyOfSecret(other), keyOfSecret(secret)],
  });
});

test("every setting that can't be used is named at once, without its secrets", () => {
  const text = faultOf({
    REFOLD_PAYMENTS: "webhook",
    REFOLD_PAYMENTS_URL: "ftp://pay.example",
    REFOLD_PAYMENTS_SECRET: "whsec_tooshort",
    REFOLD_SANDBOX_CARD: "tok_ok",
  });
  expect(text).toContain("REFOLD_PAYMENTS_URL must be a URL (http, https)");
  expect(text).toContain("REFOLD_PAYMENTS_SECRET: a secret is whsec_ and base64 of 24 to 64 bytes");
  expect(text).toContain("REFOLD_SANDBOX_CARD goes with REFOLD_PAYMENTS=sandbox");
  expect(text).not.toContain("tooshort");
});

test("settings of a provider that isn't chosen are refused, as are an unknown one and none", () => {
  expect(faultOf({ REFOLD_PAYMENTS: "cash" })).toContain("sandbox or webhook, not cash");
  expect(faultOf({ REFOLD_PAYMENTS_URL: url })).toContain("REFOLD_PAYMENTS_URL go with");
  const neither = faultOf({ REFOLD_PAYMENTS: "webhook", REFOLD_PAYMENTS_URL: url });
  expect(neither).toContain("either REFOLD_PAYMENTS_SECRET or REFOLD_PAYMENTS_SECRETS");
});

test("a card that nobody could pay with is refused at the start, not with every payment", () => {
  for (const card of ["tok ok", "tök", "x".repeat(201)]) {
    expect(faultOf({ REFOLD_SANDBOX_CARD: card })).toContain(
      "REFOLD_SANDBOX_CARD must be a card token, such as tok_ok",
    );
  }
});

test("an empty setting is one that nobody has set", () => {
  const empty = {
    REFOLD_PAYMENTS: "",
    REFOLD_SANDBOX_CARD: "",
    REFOLD_PAYMENTS_URL: "",
    REFOLD_PAYMENTS_SECRET: "",
    REFOLD_PAYMENTS_SECRETS: "",
  };
  expect(placeOf({}, empty).paymentSettings).toEqual(sandboxPayments);
  const webhook = { REFOLD_PAYMENTS: "webhook", REFOLD_PAYMENTS_URL: url };
  const chosen = { ...empty, ...webhook, REFOLD_PAYMENTS_SECRET: secret };
  expect(placeOf({}, chosen).paymentSettings).toMatchObject({ provider: "webhook", url });
});
