import { setTimeout as delay } from "node:timers/promises";

import { createSession } from "../../../processors/sessions/index.ts";
import { defaultAccessLimits } from "../../../api/access/contract.ts";
import { openTokens } from "../../../connectors/accounts/index.ts";
import { sessionCommands } from "../../accounts/session-decider.ts";
import { CommandFailure } from "../../command-failure.ts";
import { systemClock } from "../../system-clock.ts";
import type { Stores } from "../../system/stores.ts";
import { reportToTerminal } from "../../terminal.ts";
import type { HttpClient } from "../crowd/http-client.ts";
import type { Password } from "./accounts.ts";

/** By student. */
export type TokenBook = Map<string, string>;

const signInsAtOnce = 8;
const triesMax = 20;

/** `POST /sessions`, as the page does it. @throws CommandFailure when somebody is not let in. */
export async function signInByPassword(
  client: Pick<HttpClient, "send">,
  students: readonly Password[],
  tokens: TokenBook,
): Promise<void> {
  const waiting = [...students];
  const one = async (): Promise<void> => {
    for (let student = waiting.pop(); student; student = waiting.pop()) {
      tokens.set(student.name, await signedIn(client, student));
    }
  };
  await Promise.all(Array.from({ length: signInsAtOnce }, one));
}

async function signedIn(
  client: Pick<HttpClient, "send">,
  { name, password }: Password,
): Promise<string> {
  const body = { studentId: name, password };
  for (let tries = 1; ; tries += 1) {
    const answer = await client.send({ method: "POST", path: "/sessions", body });
    if (answer?.status === 201) return (JSON.parse(answer.text) as { token: string }).token;
    if (answer?.status !== 503 || tries >= triesMax) {
      const said = `${answer?.status ?? "no answer"} ${answer?.text ?? ""}`;
      throw new CommandFailure("failed", `${name} could not sign in: ${said}`);
    }
    await delay(250);
  }
}

/** Sessions that are opened at once: a round of the store takes as many. */
const sessionsAtOnce = 500;

/** The same command as the sign-in's, without a password before it. */
export async function openSessions(
  stores: Pick<Stores, "eventStore" | "codec" | "pool">,
  students: readonly string[],
  tokens: TokenBook,
): Promise<void> {
  const run = await sessionCommands(stores);
  const { sessionMs: durationMs } = defaultAccessLimits;
  const signer = openTokens({ pool: stores.pool, clock: systemClock, report: reportToTerminal });
  const open = async (subject: string): Promise<void> => {
    const call = createSession({ studentId: subject, role: "STUDENT", durationMs });
    const { sessionId, expiresAt: expiresAtMs } = (await run(call)).answer;
    const token = await signer.issue({ sessionId, subject, role: "student", expiresAtMs });
    tokens.set(subject, token);
  };
  for (let at = 0; at < students.length; at += sessionsAtOnce) {
    await Promise.all(students.slice(at, at + sessionsAtOnce).map(open));
  }
}
