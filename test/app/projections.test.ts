import { describe, expect, it } from "vitest";

import { offerModule, type OfferModule, withdrawModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { moduleCatalogue } from "../../projections/module-catalogue/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { availableSeats, seatAvailability } from "../../projections/seat-availability/index.ts";
import { SeatAvailableChanged } from "../../schemas/index.ts";
import { registrationUpdates } from "../../schemas/topics.ts";
import { ModuleHistory } from "./module-history.ts";

const paid: OfferModule = {
  moduleCode: "MA101",
  title: "Algebra",
  capacity: 3,
  feeCents: 100,
  opensAt: null,
  closesAt: null,
};

const enrol = (history: ModuleHistory, studentId: string) =>
  history.must(register({ moduleCode: "MA101", studentId }));

describe("seat-availability", () => {
  it("counts held and confirmed seats apart, and frees each as what it was", () => {
    const history = new ModuleHistory();
    history.must(offerModule({ ...paid, feeCents: 0 }));
    const confirmed = enrol(history, "ada");
    enrol(history, "eve");
    history.must(offerModule(paid));
    const held = enrol(history, "bob");
    expect(history.rowsOf(seatAvailability).get("MA101")).toEqual({
      moduleCode: "MA101",
      capacity: 3,
      held: 1,
      confirmed: 2,
    });
    history.must(withdraw(held));
    history.must(withdraw(confirmed));
    expect(history.rowsOf(seatAvailability).get("MA101")).toMatchObject({ held: 0, confirmed: 1 });
  });

  it("has no row of a withdrawn module, and begins at nothing when it comes back", () => {
    const history = new ModuleHistory();
    history.must(offerModule(paid));
    enrol(history, "ada");
    history.must(withdrawModule({ moduleCode: "MA101" }));
    expect(history.rowsOf(seatAvailability).has("MA101")).toBe(false);
    history.must(offerModule(paid));
    expect(history.rowsOf(seatAvailability).get("MA101")).toMatchObject({ held: 0, confirmed: 0 });
  });

  it("never says that fewer than no seats are free", () => {
    expect(availableSeats({ capacity: 1, held: 1, confirmed: 2 })).toBe(0);
    expect(availableSeats({ capacity: 5, held: 1, confirmed: 2 })).toBe(2);
  });

  it("tells a changed row with its position, and a withdrawn module as one without seats", () => {
    const { notify } = seatAvailability;
    const at = { key: "MA101", sourcePosition: "token" };
    const row = { moduleCode: "MA101", capacity: 3, held: 1, confirmed: 1 };
    expect(notify?.event(row, undefined, at)).toEqual({
      ...row,
      available: 1,
      sourcePosition: "token",
    });
    expect(notify?.event(undefined, row, at)).toMatchObject({ capacity: 0, available: 0 });
    expect(notify?.type).toBe(SeatAvailableChanged);
    expect(notify?.to).toBe(registrationUpdates);
  });
});

describe("registrations", () => {
  it("follows a registration from its seat to its end, with the times", () => {
    const history = new ModuleHistory();
    history.must(offerModule({ ...paid, feeCents: 0 }));
    const registeredAt = history.nowMs;
    const { registrationId } = enrol(history, "ada");
    history.nowMs += 5_000;
    history.must(withdraw({ registrationId }));
    expect(history.rowsOf(registrations).get(registrationId)).toEqual({
      registrationId,
      moduleCode: "MA101",
      studentId: "ada",
      status: "cancelled",
      feeCents: 0,
      enrolmentId: null,
      reason: "WITHDRAWN",
      registeredAt,
      waitingSince: null,
      offerExpiresAt: null,
      holdExpiresAt: null,
      completedAt: registeredAt,
      cancelledAt: registeredAt + 5_000,
    });
  });

  it("keeps what a withdrawn module cancelled", () => {
    const history = new ModuleHistory();
    history.must(offerModule(paid));
    const { registrationId } = enrol(history, "ada");
    history.must(withdrawModule({ moduleCode: "MA101" }));
    expect(history.rowsOf(registrations).get(registrationId)).toMatchObject({
      status: "cancelled",
      reason: "MODULE_WITHDRAWN",
      completedAt: null,
    });
  });
});

describe("module-catalogue", () => {
  const meta = { topic: "t", partition: 0, offset: 0, recordedAtMs: 0, sequence: 0 };

  it("reads the table's times as milliseconds, and leaves no row behind a deletion", () => {
    const row = moduleCatalogue.on.upsert(
      undefined,
      {
        code: "MA101",
        title: "Algebra",
        capacity: 3,
        fee_cents: 100,
        opens_at: "2026-01-01T09:00:00.123456Z",
        closes_at: null,
        updated_at: "2026-01-01T00:00:00Z",
      },
      meta,
    );
    expect(row).toEqual({
      code: "MA101",
      title: "Algebra",
      capacity: 3,
      feeCents: 100,
      opensAt: Date.UTC(2026, 0, 1, 9, 0, 0, 123),
      closesAt: null,
      updatedAt: Date.UTC(2026, 0, 1),
    });
    expect(row && moduleCatalogue.on.delete(row, meta)).toBeUndefined();
  });
});
