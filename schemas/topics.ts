import { ModuleRow, ModuleRowKey } from "./generated/catalogue.ts";
import {
  AccommodationOffered,
  EnrolmentCompleted,
  EnrolmentResubmitted,
  EnrolmentReversed,
  EnrolmentStarted,
  EnrolmentStepCompensated,
  EnrolmentStepCompensating,
  EnrolmentStepDone,
  EnrolmentStepFailed,
  EnrolmentStepStarted,
  LibraryCardIssued,
  OnboardingFinished,
} from "./generated/enrolments.ts";
import {
  ModuleCapacityChanged,
  ModuleDetailsChanged,
  ModuleOffered,
  ModuleWithdrawn,
} from "./generated/modules.ts";
import { SeatOfferAnnounced } from "./generated/notices.ts";
import {
  PaymentConfirmed,
  PaymentDeadlinePassed,
  PaymentFailed,
  PaymentRefunded,
  PaymentRequested,
  PaymentStarted,
} from "./generated/payments.ts";
import {
  ModuleRegistered,
  RegistrationCancelled,
  RegistrationCompleted,
  SeatOffered,
  SeatOfferExpired,
  WaitlistJoined,
  WaitlistLeft,
} from "./generated/seats.ts";
import { SessionCreated, SessionExpired, SessionRevoked } from "./generated/sessions.ts";
import { SeatAvailableChanged } from "./generated/updates.ts";

/** Every event is tagged with every id that it carries. */
const tags = {
  moduleCode: "module",
  studentId: "student",
  registrationId: "registration",
  paymentId: "payment",
  enrolmentId: "enrolment",
  sessionId: "session",
} as const;

const dayMs = 24 * 60 * 60 * 1000;

/** The events of a module and its seats, for ever. */
export const moduleEvents = {
  kind: "events",
  name: "module-events",
  partitions: 10,
  key: "moduleCode",
  tags,
  events: [
    ModuleOffered,
    ModuleDetailsChanged,
    ModuleCapacityChanged,
    ModuleWithdrawn,
    ModuleRegistered,
    RegistrationCompleted,
    RegistrationCancelled,
    WaitlistJoined,
    SeatOffered,
    SeatOfferExpired,
    WaitlistLeft,
  ],
} as const;

/** Payments of registrations and enrolments, for ever. */
export const paymentEvents = {
  kind: "events",
  name: "payment-events",
  partitions: 10,
  key: "paymentId",
  tags,
  events: [
    PaymentRequested,
    PaymentStarted,
    PaymentConfirmed,
    PaymentFailed,
    PaymentDeadlinePassed,
    PaymentRefunded,
  ],
} as const;

/** Enrolments in several modules, and what follows them, for ever. */
export const enrolmentEvents = {
  kind: "events",
  name: "enrolment-events",
  partitions: 10,
  key: "enrolmentId",
  tags,
  events: [
    EnrolmentStarted,
    EnrolmentStepStarted,
    EnrolmentStepDone,
    EnrolmentStepFailed,
    EnrolmentStepCompensating,
    EnrolmentStepCompensated,
    EnrolmentCompleted,
    EnrolmentReversed,
    EnrolmentResubmitted,
    LibraryCardIssued,
    AccommodationOffered,
    OnboardingFinished,
  ],
} as const;

/** Who is signed in, for ever. */
export const sessionEvents = {
  kind: "events",
  name: "session-events",
  partitions: 10,
  key: "sessionId",
  tags,
  events: [SessionCreated, SessionExpired, SessionRevoked],
} as const;

/** What students are told by mail and the like, with all that a message needs, for ever. */
export const studentNotices = {
  kind: "events",
  name: "student-notices",
  partitions: 10,
  key: "studentId",
  tags,
  events: [SeatOfferAnnounced],
} as const;

/** Notices for the browser: the seats of a module changed. */
export const registrationUpdates = {
  kind: "events",
  name: "registration-updates",
  partitions: 10,
  key: "moduleCode",
  tags,
  events: [SeatAvailableChanged],
  retentionMs: dayMs,
} as const;

/** Row changes of the table `catalogue.modules`. */
export const catalogueModules: {
  readonly kind: "changes";
  readonly name: string;
  readonly partitions: number;
  readonly table: string;
  readonly row: typeof ModuleRow.schema;
  readonly key: typeof ModuleRowKey.schema;
  readonly _row?: ModuleRow;
  readonly _key?: ModuleRowKey;
} = {
  kind: "changes",
  name: "refold.catalogue.modules",
  partitions: 10,
  table: "catalogue.modules",
  row: ModuleRow.schema,
  key: ModuleRowKey.schema,
};
