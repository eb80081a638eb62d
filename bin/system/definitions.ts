import { accountMigrations } from "../../connectors/accounts/migrations.ts";
import { sandboxMigrations } from "../../connectors/payments/index.ts";
import type { Migration } from "../../connectors/postgres/migrations.ts";
import type { DeadlineType } from "../../engine/deadline.ts";
import type { AnyProcessor } from "../../engine/processor.ts";
import type { AnyProjection } from "../../engine/projection.ts";
import type { ChangeTopic, EventTopic } from "../../engine/topic.ts";
import { accommodation } from "../../processors/accommodation/index.ts";
import { catalogue, migrations as catalogueMigrations } from "../../processors/catalogue/index.ts";
import { enrolment } from "../../processors/enrolments/index.ts";
import { libraryCard } from "../../processors/library/index.ts";
import { offerNotices } from "../../processors/offer-notices/index.ts";
import { onboarding } from "../../processors/onboarding/index.ts";
import { paymentDue, paymentRequests } from "../../processors/payments/index.ts";
import { registrationSaga } from "../../processors/registration-saga/index.ts";
import {
  defaultOfferMs,
  type OfferOptions,
  seatOffer,
  seatOffersWith,
} from "../../processors/seats/index.ts";
import { sessionEnd } from "../../processors/sessions/index.ts";
import { waitingListWith } from "../../processors/waiting-list/index.ts";
import { enrolments } from "../../projections/enrolments/index.ts";
import { moduleCatalogue } from "../../projections/module-catalogue/index.ts";
import { payments } from "../../projections/payments/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { sessions } from "../../projections/sessions/index.ts";
import { waitingLists } from "../../projections/waiting-lists/index.ts";
import {
  catalogueModules,
  enrolmentEvents,
  moduleEvents,
  paymentEvents,
  registrationUpdates,
  sessionEvents,
  studentNotices,
} from "../../schemas/topics.ts";

/** What runs on the engine: a domain's definitions. */
export interface Definitions {
  readonly processors: readonly AnyProcessor[];
  readonly projections: readonly AnyProjection[];
  /** What its decisions wait for. */
  readonly deadlines: readonly DeadlineType[];
  /** Topics whose events are appended or noticed here: their schemas are registered at start. */
  readonly eventTopics: readonly EventTopic[];
  /** Tables whose changes are captured. */
  readonly changeTopics: readonly ChangeTopic[];
  /** The replication slot of the capture, its publication and its position. */
  readonly slotName: string;
  /** Kinds of tags that stand for one business transaction each: what a trace follows. */
  readonly transactionTags: readonly string[];
  /** Steps of the domain's own tables, after the engine's. */
  readonly migrations: readonly Migration[];
}

/** The application's, in one place. */
export function applicationWith(options: OfferOptions): Definitions {
  const { offerSeats, lineOpens } = seatOffersWith(options);
  return {
    processors: [
      catalogue,
      waitingListWith({ offerSeats }),
      paymentRequests,
      registrationSaga,
      enrolment.processor,
      libraryCard,
      accommodation,
      onboarding,
      offerNotices,
    ],
    projections: [
      seatAvailability,
      registrations,
      waitingLists,
      moduleCatalogue,
      payments,
      enrolments,
      sessions,
    ],
    deadlines: [seatOffer, lineOpens, paymentDue, enrolment.deadline, sessionEnd],
    eventTopics: [
      moduleEvents,
      paymentEvents,
      enrolmentEvents,
      sessionEvents,
      studentNotices,
      registrationUpdates,
    ],
    changeTopics: [catalogueModules],
    slotName: "refold",
    transactionTags: ["registration", "payment", "enrolment"],
    migrations: [...catalogueMigrations, ...sandboxMigrations, ...accountMigrations],
  };
}

export const application = applicationWith({ offerMs: defaultOfferMs });

/** Projections that follow the events of modules. */
export const moduleProjections = [seatAvailability.name, registrations.name, waitingLists.name];
