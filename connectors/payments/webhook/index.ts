export { WebhookReceiver, type WebhookReceiverOptions } from "./receive.ts";
export { isSigned, keyOfSecret, signatureOf, type SignedMessage } from "./signature.ts";
export {
  WebhookProvider,
  webhookProviderName,
  type WebhookProviderOptions,
} from "./webhook-provider.ts";
