import { defineDeadline } from "../../engine/deadline.ts";
import { expireOffer } from "./expire-offer.ts";

/** When the seat that is held for a student in line passes to the next; by registration. */
export const seatOffer = defineDeadline({
  name: "seat-offer",
  tags: (registrationId) => [`registration:${registrationId}`],
  passed: ({ key }) => expireOffer({ registrationId: key }),
});
