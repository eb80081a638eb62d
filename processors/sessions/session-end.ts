import { defineDeadline } from "../../engine/deadline.ts";
import { expireSession } from "./expire-session.ts";

/** When a session's time is over. Key: the session's id. */
export const sessionEnd = defineDeadline({
  name: "session-end",
  tags: (sessionId) => [`session:${sessionId}`],
  passed: ({ key }) => expireSession({ sessionId: key }),
});
