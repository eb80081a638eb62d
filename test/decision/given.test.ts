import { expect, test } from "vitest";

import { fact } from "../../engine/decision/definition.ts";
import { given } from "../../engine/decision/given.ts";
import { buy, giveBack, Opened, Returned, shows, Sold } from "./seats.ts";

const opened = fact(shows, Opened, { show: "a", seats: 1 });
const seat = { show: "a", person: "p", ticket: "id-1" };
const sold = fact(shows, Sold, seat);

test("a decision on given facts is compared as a value", () => {
  const asked = given([opened]).when(buy({ show: "a", person: "p" }));
  asked.then({ facts: [sold], answer: { ticket: "id-1" } });
  given([opened, sold])
    .when(buy({ show: "a", person: "q" }))
    .then({ refused: "sold-out" });
  const back = given([opened, sold]).when(giveBack({ ticket: "id-1" }));
  back.then({ facts: [fact(shows, Returned, seat)] });
});

test("another decision than the expected one is shown", () => {
  const asked = given([opened]).when(buy({ show: "a", person: "p" }));
  expect(() => asked.then({ refused: "sold-out" })).toThrow(/Decided .*shop\.Sold.*sold-out/);
  expect(() => asked.then({ facts: [] })).toThrow(/shop\.Sold/);
});

test("the time of the decision is given", () => {
  const call = buy({ show: "a", person: "p", closesAtMs: 1_000 });
  given([opened], { nowMs: 999 })
    .when(call)
    .then({ facts: [sold] });
  given([opened], { nowMs: 1_000 }).when(call).then({ refused: "closed" });
});
