import { expect, test } from "vitest";

import { memoryTokens } from "../../connectors/accounts/index.ts";
import { systemClock } from "../../bin/system-clock.ts";

test("a token says who it was issued to", async () => {
  const tokens = memoryTokens({ clock: systemClock });
  const expiresAtMs = Math.floor(systemClock.nowMs() / 1_000) * 1_000 + 60_000;
  const identity = { sessionId: "a", subject: "s-1", role: "student", expiresAtMs } as const;
  expect(await tokens.verify(await tokens.issue(identity))).toEqual(identity);
  expect((await tokens.publicKeys()).keys).toHaveLength(1);
});
