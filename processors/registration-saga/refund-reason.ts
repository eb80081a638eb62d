import type { CancelReason } from "../seats/index.ts";

/**
 * Why a charge is paid back, by how its registration ended (null: it never had a seat). One that
 * ended for want of a payment had ended before the charge: LATE.
 */
export const refundReasonOf = (ended: CancelReason | null): string =>
  ended === null || ended === "PAYMENT_TIMED_OUT" || ended === "PAYMENT_FAILED" ? "LATE" : ended;
