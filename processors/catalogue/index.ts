export { catalogue } from "./catalogue-processor.ts";
export { migrations } from "./migrations.ts";
export { moduleOffer, type ModuleOffer } from "./module-offer.ts";
export { offerModule, type OfferModule } from "./offer-module.ts";
export { withdrawModule, type WithdrawModule } from "./withdraw-module.ts";
