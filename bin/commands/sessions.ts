import { Command } from "commander";

import { defaultAccessLimits, type Role } from "../../api/access/contract.ts";
import { AccountBook, openTokens } from "../../connectors/accounts/index.ts";
import {
  createSession,
  revokeSession,
  type Role as SessionRole,
} from "../../processors/sessions/index.ts";
import { activeSessions, type SessionRow } from "../../projections/sessions/index.ts";
import { SessionCreated } from "../../schemas/index.ts";
import { nameOf, unknownAccount } from "../accounts/account-name.ts";
import { sessionCommands } from "../accounts/session-decider.ts";
import { askedBy } from "../asked-by.ts";
import { CommandFailure } from "../command-failure.ts";
import { jsonOf } from "../log/printable.ts";
import { commandOnDatabase, type OptionsOnDatabase, wholeNumber } from "../program.ts";
import { systemClock } from "../system-clock.ts";
import { type Connected, connect } from "../system/connect.ts";
import { table } from "../table.ts";
import { reportToTerminal } from "../terminal.ts";

interface JsonOptions extends OptionsOnDatabase {
  readonly json?: true;
}

interface OpenOptions extends JsonOptions {
  readonly user?: true;
}

interface RevokeOptions extends JsonOptions {
  readonly of?: string;
}

/** `refold sessions`: who is signed in. */
export function sessionsCommand(): Command {
  return new Command("sessions")
    .description("who is signed in: opens sessions for scripts, and ends them")
    .addCommand(openCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

function openCommand(): Command {
  return commandOnDatabase("open")
    .description("opens a session without a password, for 15 minutes, and prints its token alone")
    .argument("<student>", "a student's id; it needn't have an account")
    .option("--user", "of a user of this name, with the user's role")
    .option("--json", "the session with its token as JSON")
    .action(open);
}

async function open(text: string, options: OpenOptions): Promise<void> {
  const subject = nameOf(text);
  await using stores = await connect("sessions", options);
  const role = options.user ? await roleOf(stores, subject) : "student";
  const { pool } = stores;
  const { sessionMs: durationMs } = defaultAccessLimits;
  const run = await sessionCommands(stores);
  const { answer } = await run(
    createSession({ studentId: subject, role: sessionRoles[role], durationMs }),
  );
  const { sessionId, expiresAt: expiresAtMs } = answer;
  const tokens = openTokens({ pool, clock: systemClock, report: reportToTerminal });
  const token = await tokens.issue({ sessionId, subject, role, expiresAtMs });
  const expiresAt = new Date(expiresAtMs).toISOString();
  print(options.json ? jsonOf({ token, sessionId, subject, role, expiresAt }) : token);
}

const sessionRoles: Readonly<Record<Role, SessionRole>> = {
  student: "STUDENT",
  viewer: "VIEWER",
  operator: "OPERATOR",
  admin: "ADMIN",
};

async function roleOf(stores: Connected, name: string): Promise<Role> {
  const role = await new AccountBook(stores).roleOf(name);
  if (role === undefined) throw unknownAccount({ kind: "user", name });
  return role;
}

function listCommand(): Command {
  return commandOnDatabase("list")
    .description("who is signed in, the oldest session first")
    .option("--limit <number>", "at most so many", wholeNumber(1, 1_000), 100)
    .option("--json", "as JSON")
    .action(async (options: JsonOptions & { readonly limit: number }) => {
      await using stores = await connect("sessions", options);
      const page = { limit: options.limit, cursor: undefined };
      const { result } = await activeSessions(stores.reader, page);
      const sessions = result.rows.map(shown);
      if (options.json) return print(jsonOf(sessions));
      if (sessions.length === 0) return print("Nobody is signed in.");
      const rows = sessions.map((one) => [one.sessionId, one.subject, one.role, one.expiresAt]);
      print(table(["session", "of", "role", "ends"], rows));
      if (result.next !== undefined) print(`And more: --limit shows more than ${options.limit}.`);
    });
}

const shown = ({ sessionId, studentId, role, createdAt, expiresAt }: SessionRow) => ({
  sessionId,
  subject: studentId,
  role: role.toLowerCase(),
  createdAt: new Date(createdAt).toISOString(),
  expiresAt: new Date(expiresAt).toISOString(),
});

function revokeCommand(): Command {
  return commandOnDatabase("revoke")
    .description("ends sessions now: running processes refuse their tokens within a second")
    .argument("[session]", "one session, by its id")
    .option("--of <name>", "all of this student or user")
    .option("--json", "how many have ended, as JSON")
    .action(revoke);
}

async function revoke(id: string | undefined, options: RevokeOptions): Promise<void> {
  const { of } = options;
  if ((id === undefined) === (of === undefined)) {
    throw new CommandFailure("usage", "Name one session, or whose: --of <name>.");
  }
  await using stores = await connect("sessions", options);
  const ids = of === undefined ? [id ?? ""] : await recentSessions(stores, nameOf(of));
  const run = await sessionCommands(stores);
  const by = askedBy("refold sessions");
  let revoked = 0;
  for (const sessionId of ids) {
    const { happened } = await run(revokeSession({ sessionId, reason: "BY_OPERATOR", by }));
    if (happened) revoked += 1;
  }
  const ended = revoked === 1 ? "1 session is" : `${revoked} sessions are`;
  print(options.json ? jsonOf({ revoked }) : `${ended} ended.`);
}

/** More than a session lasts, with room for clocks that differ: older ones have ended. */
const recentMs = defaultAccessLimits.sessionMs + 3_600_000;

/** From the event store, which knows sessions that no read model shows yet. */
async function recentSessions({ eventStore }: Connected, subject: string): Promise<string[]> {
  const sinceMs = (await eventStore.nowMs()) - recentMs;
  const items = [{ types: [SessionCreated.fullName], tags: [`student:${subject}`] }];
  const ids: string[] = [];
  for await (const page of eventStore.read({ items })) {
    ids.push(...page.filter(({ recordedAtMs }) => recordedAtMs >= sinceMs).map(({ key }) => key));
  }
  return ids;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
