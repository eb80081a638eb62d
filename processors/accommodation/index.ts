export { accommodation } from "./accommodation.ts";
export { offerRoom, type OfferRoom, roomOf } from "./offer-room.ts";
