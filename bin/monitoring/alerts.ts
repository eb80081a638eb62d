import type { AlertGroup } from "./alert.ts";
import { consumerAlerts, deadLetterAlerts } from "./alerts-of-consumers.ts";
import { captureAlerts, processAlerts, storeAlerts } from "./alerts-of-servers.ts";
import { effectAlerts } from "./alerts-of-effects.ts";

/** Every alert, by what it is about. */
export const alertGroups: readonly AlertGroup[] = [
  { name: "refold-consumers", alerts: consumerAlerts },
  { name: "refold-dead-letters", alerts: deadLetterAlerts },
  { name: "refold-effects", alerts: effectAlerts },
  { name: "refold-capture", alerts: captureAlerts },
  { name: "refold-store", alerts: storeAlerts },
  { name: "refold-processes", alerts: processAlerts },
];
