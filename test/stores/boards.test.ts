import { FencedError } from "../../engine/errors.ts";
import { MemoryAssignment } from "../../engine/memory/assignment.ts";
import { MemoryDeadLetters } from "../../engine/memory/dead-letters.ts";
import { MemoryStatusBoard } from "../../engine/memory/status-board.ts";
import { assignmentConformance } from "../conformance/assignment.ts";
import { deadLettersConformance } from "../conformance/dead-letters.ts";
import { statusBoardConformance } from "../conformance/status-board.ts";

const nothing = { [Symbol.asyncDispose]: async () => undefined };

deadLettersConformance("in memory", async () => {
  let nowMs = 1_700_000_000_000;
  const deadLetters = new MemoryDeadLetters({ nowMs: () => nowMs });
  return {
    deadLetters,
    feed: deadLetters,
    elapse: async (ms) => void (nowMs += ms),
    write: async (letters) => deadLetters.add(letters),
    settle: async (settlements) => {
      if (!deadLetters.areOpen(settlements)) throw new FencedError([0], "Not open.");
      deadLetters.settle(settlements);
    },
    ...nothing,
  };
});

statusBoardConformance("in memory", async () => ({
  board: new MemoryStatusBoard({ nowMs: () => 1_700_000_000_000 }),
  ...nothing,
}));

assignmentConformance("in memory", async () => {
  const assignment = new MemoryAssignment();
  return { assignment: () => assignment, ...nothing };
});
