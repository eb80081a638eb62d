export interface ToldRegistration {
  readonly registrationId: string;
  readonly moduleCode: string;
  readonly studentId: string;
}

/** Everything that clients were told, and may rely on. */
export interface Told {
  /** By registration. */
  readonly registered: Map<string, ToldRegistration>;
  /** Payments whose card was taken. */
  readonly paid: Set<string>;
  /** Registrations whose end was confirmed. */
  readonly withdrawn: Set<string>;
  /** By code: what was refused. */
  readonly refused: Map<string, number>;
  /** What was never settled: it may have been done or not. */
  readonly unsettled: string[];
  /** Students and modules of registrations that were never settled. */
  readonly unsettledSeats: Set<string>;
  /** Answers that fit no rule. */
  readonly strange: string[];
}

export const nothingTold = (): Told => ({
  registered: new Map(),
  paid: new Set(),
  withdrawn: new Set(),
  refused: new Map(),
  unsettled: [],
  unsettledSeats: new Set(),
  strange: [],
});

/** Names a student's seat in a module. */
export const seatOf = (studentId: string, moduleCode: string): string =>
  `${studentId} ${moduleCode}`;
