export { offerNotices } from "./offer-notices.ts";
