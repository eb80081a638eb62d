import type { Claim } from "./claim.ts";
import type { Evidence } from "./evidence.ts";
import { paymentClaims } from "./payment-claims.ts";
import { seatClaims } from "./seat-claims.ts";

/** Everything that is claimed of a registration day, once nothing of it is under way any more. */
export const prove = (evidence: Evidence): readonly Claim[] => [
  ...seatClaims(evidence),
  ...paymentClaims(evidence),
];
