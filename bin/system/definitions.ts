import { catalogue } from "../../processors/catalogue/index.ts";
import { moduleCatalogue } from "../../projections/module-catalogue/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { catalogueModules, moduleEvents, registrationUpdates } from "../../schemas/topics.ts";

/** What runs: the application's definitions, in one place. */
export const processors = [catalogue] as const;
export const projections = [seatAvailability, registrations, moduleCatalogue] as const;

/** Topics whose events are appended or noticed here: their schemas are registered at start. */
export const eventTopics = [moduleEvents, registrationUpdates] as const;

/** Tables whose changes are captured. */
export const changeTopics = [catalogueModules] as const;

/** Projections that follow the events of modules. */
export const moduleProjections = [seatAvailability.name, registrations.name];

/** The replication slot of the capture, its publication and its position. */
export const slotName = "refold";
