import type { RowChange } from "../../engine/ports/codec.ts";
import type { GivenEvent } from "../../engine/testing/index.ts";
import { offerModule, withdrawModule } from "../../processors/catalogue/index.ts";
import {
  completeRegistration,
  register,
  seatOffer,
  withdraw,
} from "../../processors/seats/index.ts";
import { waitingList } from "../../processors/waiting-list/index.ts";
import {
  catalogueModules,
  enrolmentEvents,
  moduleEvents,
  paymentEvents,
  sessionEvents,
} from "../../schemas/topics.ts";
import { paymentFacts } from "../payments/history.ts";
import { sessionFacts } from "../sessions/history.ts";
import { enrolmentFacts } from "./enrolment-stage.ts";
import { ModuleHistory } from "./module-history.ts";

/** Modules, with everything that can happen to their seats and lines. */
function moduleFacts(): readonly GivenEvent[] {
  const history = new ModuleHistory();
  const offer = (moduleCode: string, capacity: number, feeCents: number): void => {
    const times = { opensAt: null, closesAt: null };
    history.must(offerModule({ moduleCode, title: moduleCode, capacity, feeCents, ...times }));
  };
  offer("MA101", 5, 0);
  offer("PH-2013J", 3, 100);
  offer("ÄÖ-9", 2, 0);
  const taken = ["ada", "eve", "bob"].flatMap((studentId) => {
    history.nowMs += 1_000;
    return ["MA101", "PH-2013J"].map((moduleCode) =>
      history.must(register({ moduleCode, studentId })),
    );
  });
  offer("MA101", 9, 0);
  for (const { registrationId } of taken.slice(0, 3)) {
    history.nowMs += 1_000;
    history.must(withdraw({ registrationId }));
  }
  history.must(register({ moduleCode: "ÄÖ-9", studentId: "kim" }));
  history.must(withdrawModule({ moduleCode: "ÄÖ-9" }));
  offer("ÄÖ-9", 4, 0);
  standInLine(history, "A/B~1");
  return history.facts.map(({ type, event, recordedAtMs }) => ({ type, event, recordedAtMs }));
}

/** A line whose students take an offer, let one pass, leave, and go with the module at the end. */
function standInLine(history: ModuleHistory, moduleCode: string): void {
  const row = { moduleCode, title: moduleCode, feeCents: 100, opensAt: null, closesAt: null };
  const join = (studentId: string) =>
    history.must(register({ moduleCode, studentId, waitlist: true }));
  const offerFreed = (): void => {
    history.nowMs += 20 * 60_000;
    history.passDeadlines([seatOffer]);
    history.react(waitingList);
  };
  history.must(offerModule({ ...row, capacity: 1 }));
  const [first, , , gone] = ["s/1", "1", "~/", "ada", "eve", "bob", "kim"].map(join);
  for (const left of [first, gone]) if (left) history.must(withdraw(left));
  offerFreed();
  join("1");
  history.must(offerModule({ ...row, capacity: 3 }));
  offerFreed();
  offerFreed();
  const offered = join("bob");
  history.must(completeRegistration(offered));
  history.must(withdraw(offered));
  offerFreed();
  history.must(withdrawModule({ moduleCode }));
}

const row = (code: string, capacity: number) => ({
  code,
  title: `Module ${code}`,
  capacity,
  fee_cents: 0,
  opens_at: null,
  closes_at: "2026-02-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
});

const change = (
  op: "c" | "u" | "d" | "r",
  at: { lsn: bigint; order: number },
  of: ReturnType<typeof row>,
): RowChange => ({
  op,
  before: op === "d" ? of : null,
  after: op === "d" ? null : of,
  sourceTimestampMs: 1_000 + Number(at.lsn),
  commitLsn: at.lsn,
  order: at.order,
  transactionId: op === "r" ? undefined : `t${at.lsn}`,
  snapshot: op === "r",
});

/** Two rows that were there, new ones, one that gives its code to another, and one that goes. */
const tableHistory: readonly RowChange[] = [
  change("r", { lsn: 0n, order: 0 }, row("MA101", 1)),
  change("r", { lsn: 0n, order: 0 }, row("PH1", 2)),
  change("c", { lsn: 10n, order: 1 }, row("CH1", 3)),
  change("c", { lsn: 10n, order: 2 }, row("BI1", 4)),
  change("u", { lsn: 20n, order: 1 }, row("MA101", 11)),
  // In one transaction: PH1 becomes CH1's code while CH1 moves on to CH2.
  change("d", { lsn: 30n, order: 1 }, row("PH1", 2)),
  change("c", { lsn: 30n, order: 2 }, row("CH1", 2)),
  change("d", { lsn: 30n, order: 3 }, row("CH1", 3)),
  change("c", { lsn: 30n, order: 4 }, row("CH2", 3)),
  change("d", { lsn: 40n, order: 1 }, row("BI1", 4)),
];

/** A history for each topic of events that a definition reads, by the topic's name. */
export const eventHistories: ReadonlyMap<string, readonly GivenEvent[]> = new Map([
  [moduleEvents.name, moduleFacts()],
  [paymentEvents.name, paymentFacts()],
  [enrolmentEvents.name, enrolmentFacts()],
  [sessionEvents.name, sessionFacts()],
]);

/** A history for each captured table that a definition reads, by the name of its topic. */
export const tableHistories: ReadonlyMap<string, readonly RowChange[]> = new Map([
  [catalogueModules.name, tableHistory],
]);
