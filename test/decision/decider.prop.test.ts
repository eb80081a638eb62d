import {
  array,
  assert,
  asyncProperty,
  boolean,
  constantFrom,
  integer,
  nat,
  record,
} from "fast-check";
import { expect, test } from "vitest";

import { ModelCache } from "../../engine/decision/model-cache.ts";
import { all } from "../conformance/event-store.ts";
import { buy, giveBack, newDecider, newStore, open, origin, soldByShow } from "./seats.ts";

const step = record({
  decider: nat(2),
  show: constantFrom("a", "b", "c"),
  person: constantFrom("p", "q", "r", "s"),
  back: boolean(),
});

test("random commands of several deciders never sell a seat twice, and lose nothing", async () => {
  const rounds = array(array(step, { maxLength: 12 }), { maxLength: 8 });
  await assert(
    asyncProperty(rounds, integer({ min: 1, max: 4 }), async (rounds, seats) => {
      const { store, codec } = newStore();
      const deciders = [0, 1, 2].map(() =>
        newDecider(store, codec, {
          models: new ModelCache({ modelsMax: 4 }),
          conflictsMax: 2,
          roundCallsMax: 5,
        }),
      );
      for (const show of ["a", "b", "c"]) await deciders[0]?.execute(open({ show, seats }), origin);
      const tickets: string[] = [];
      let sold = 0;
      let returned = 0;
      const take = async ({ decider, show, person, back }: (typeof rounds)[0][0]) => {
        const by = deciders[decider];
        const ticket = back ? tickets.pop() : undefined;
        if (ticket !== undefined) {
          const result = await by?.execute(giveBack({ ticket }), origin);
          if (result?.outcome === "accepted") returned += 1;
          return;
        }
        const result = await by?.execute(buy({ show, person }), origin);
        if (result?.outcome !== "accepted") return;
        sold += 1;
        tickets.push(result.answer.ticket);
      };
      for (const round of rounds) await Promise.all(round.map(take));
      const left = [...soldByShow(await all(store), seats).values()].reduce((a, b) => a + b, 0);
      expect(left).toBe(sold - returned);
    }),
    { numRuns: 150 },
  );
});
