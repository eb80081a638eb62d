import { accept, defineCommand, type FollowedCall } from "../decision/definition.ts";

const nothingFollows = defineCommand({
  name: "settle-effect",
  reads: () => ({}),
  decide: () => accept([], undefined),
});

/** For an answer from which nothing follows now: the effect is settled all the same. */
export const settledOnly: FollowedCall = { call: nothingFollows(undefined) };
