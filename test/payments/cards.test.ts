import { describe, expect, it } from "vitest";

import { planOfCard } from "../../connectors/payments/sandbox/cards.ts";

const times = { nowMs: 1_000, expiresAtMs: 5_000, lateMs: 300 };
const charged = { kind: "charged", atMs: 1_000, toldAgain: false, answersLost: 0 };

describe("cards of the sandbox", () => {
  it.each([
    ["tok_ok", charged],
    ["tok_declined", { kind: "refused", reason: "CARD_DECLINED" }],
    ["tok_insufficient_funds", { kind: "refused", reason: "INSUFFICIENT_FUNDS" }],
    ["tok_no_answer", { kind: "silent" }],
    ["tok_lost_answer", { ...charged, answersLost: 2 }],
    ["tok_late", { ...charged, atMs: 5_300 }],
    ["tok_duplicate", { ...charged, toldAgain: true }],
    ["tok_delay_250", { ...charged, atMs: 1_250 }],
    ["tok_delay_999999999", { ...charged, atMs: 86_401_000 }],
    ["tok_delay_-1", { kind: "refused", reason: "CARD_DECLINED" }],
    ["tok_delay_", { kind: "refused", reason: "CARD_DECLINED" }],
    ["", { kind: "refused", reason: "CARD_DECLINED" }],
  ])("%s does what its name says", (token, plan) => {
    expect(planOfCard(token, times)).toEqual(plan);
  });
});
