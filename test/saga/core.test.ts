import { describe, expect, it } from "vitest";

import {
  decideSaga,
  evolveSaga,
  type SagaFact,
  type SagaPlan,
  type SagaState,
} from "../../engine/saga/index.ts";

interface Order {
  readonly parcels: readonly string[];
}

type Told = SagaFact<Order, string>;

const undo = {};
const plan: SagaPlan<Order, string> = {
  stages: [
    [{ name: "pack", each: ({ input }) => input.parcels, undo }],
    [{ name: "label", when: ({ done }) => done.get("pack/a") !== "bare", undo }, { name: "note" }],
    [{ name: "send", undo }],
  ],
  stepsMax: 8,
};

const started: Told = { kind: "started", id: "o1", input: { parcels: ["a", "b"] } };
const done = (step: string, attempt = 1, data = ""): Told => ({
  kind: "stepDone",
  step,
  attempt,
  data,
});
const failed = (step: string, attempt = 1): Told => ({
  kind: "stepFailed",
  step,
  attempt,
  reason: "broken",
  detail: "It broke.",
});
const begun = (step: string, attempt = 1): Told => ({
  kind: "stepStarted",
  step,
  attempt,
  data: "",
  dueAtMs: 7,
});
const undone = (step: string, attempt = 1): Told => ({ kind: "stepCompensated", step, attempt });
const undoing = (step: string, attempt = 1): Told => ({ kind: "stepCompensating", step, attempt });

const after = (...facts: readonly Told[]): SagaState<Order, string> =>
  facts.reduce<SagaState<Order, string>>(evolveSaga, undefined);

/** What is to be done after these facts, in short. */
const next = (...facts: readonly Told[]): string[] =>
  decideSaga(plan, after(...facts)).map((action) => {
    switch (action.kind) {
      case "do":
        return `do ${action.step}`;
      case "undo":
        return `undo ${action.tried.step} of ${action.tried.attempt}`;
      case "reverse":
        return `reverse for ${action.reason}`;
      case "complete":
        return "complete";
      default:
        return action satisfies never;
    }
  });

const packed = [started, done("pack/a"), done("pack/b")];

describe("decideSaga", () => {
  it("does nothing for a saga that was never started", () => {
    expect(next()).toEqual([]);
    expect(next(done("pack/a"))).toEqual([]);
  });

  it("does the steps of a stage side by side, and the next stage when all are done", () => {
    expect(next(started)).toEqual(["do pack/a", "do pack/b"]);
    expect(next(started, begun("pack/a"))).toEqual(["do pack/b"]);
    expect(next(started, begun("pack/a"), done("pack/b"))).toEqual([]);
    expect(next(...packed)).toEqual(["do label", "do note"]);
  });

  it("leaves out a step that isn't needed, by what was kept of earlier ones", () => {
    expect(next(started, done("pack/a", 1, "bare"), done("pack/b"))).toEqual(["do note"]);
  });

  it("completes once, when the last stage is done", () => {
    const all = [...packed, done("label"), done("note"), done("send")];
    expect(next(...all)).toEqual(["complete"]);
    expect(next(...all, { kind: "completed", attempt: 1 })).toEqual([]);
  });

  it("waits for what is under way, then undoes in the reverse order of completion", () => {
    const turned = [...packed, begun("label"), done("note"), failed("send")];
    expect(next(...turned)).toEqual([]);
    expect(next(...turned, done("label"))).toEqual(["undo label of 1"]);
    const back = [...turned, done("label"), undone("label")];
    expect(next(...back)).toEqual(["undo pack/b of 1"]);
    expect(next(...back, undoing("pack/b"))).toEqual([]);
    expect(next(...back, undone("pack/b"), undone("pack/a"))).toEqual(["reverse for broken"]);
  });

  it("does again on a resubmission what was undone, and not what stays", () => {
    const reversed: Told[] = [
      ...packed,
      done("note"),
      failed("label"),
      undone("pack/b"),
      undone("pack/a"),
      { kind: "reversed", attempt: 1, reason: "broken" },
    ];
    expect(next(...reversed)).toEqual([]);
    const again: Told[] = [...reversed, { kind: "resubmitted", attempt: 2 }];
    expect(next(...again)).toEqual(["do pack/a", "do pack/b"]);
    expect(next(...again, done("pack/a", 2), done("pack/b", 2))).toEqual(["do label"]);
  });

  it("undoes a late success after the end, and beside another attempt that goes on", () => {
    const reversed: Told[] = [
      started,
      begun("pack/a"),
      failed("pack/a"),
      { kind: "reversed", attempt: 1, reason: "broken" },
    ];
    expect(next(...reversed, done("pack/a"))).toEqual(["undo pack/a of 1"]);
    const again: Told[] = [...reversed, { kind: "resubmitted", attempt: 2 }, done("pack/b", 2)];
    expect(next(...again, done("pack/a"))).toEqual(["undo pack/a of 1", "do pack/a"]);
    expect(next(...again, failed("pack/a", 2), undoing("pack/a"))).toEqual(["undo pack/b of 2"]);
  });

  it("says which step a changed definition lacks, and that a saga is too long", () => {
    expect(() => next(started, done("wrap/a"), failed("pack/a"))).toThrow(/none named wrap/);
    const parcels = Array.from({ length: 9 }, (_, at) => String(at));
    expect(() => next({ ...started, input: { parcels } })).toThrow(/more than 8 steps/);
  });
});

describe("evolveSaga", () => {
  it("keeps the first failure of an attempt, and forgets it on resubmission", () => {
    const turned = after(...packed, failed("label"), { ...failed("note"), reason: "late" } as Told);
    expect(turned).toMatchObject({ status: "compensating", failure: { reason: "broken" } });
    const again = evolveSaga(turned, { kind: "resubmitted", attempt: 2 });
    expect(again).toMatchObject({ status: "running", attempt: 2, failure: undefined });
  });

  it("is not turned round by the failure of an earlier attempt", () => {
    const again = after(started, { kind: "resubmitted", attempt: 2 }, failed("pack/a", 1));
    expect(again?.status).toBe("running");
  });
});
