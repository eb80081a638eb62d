import { expect, test } from "vitest";

import { Voices } from "./voices.ts";

test("what several say at once is written one after the other, in the order in which they began", () => {
  let heard = "";
  const voices = new Voices((text) => (heard += text));
  const [one, two] = [voices.begin(), voices.begin()];
  two.say("2a ");
  one.say("1a ");
  expect(heard).toBe("1a ");
  two.say("2b ");
  two.end();
  const three = voices.begin();
  three.say("3a ");
  one.say("1b ");
  expect(heard).toBe("1a 1b ");
  one.end();
  expect(heard).toBe("1a 1b 2a 2b 3a ");
  three.say("3b ");
  expect(heard).toBe("1a 1b 2a 2b 3a 3b ");
});
