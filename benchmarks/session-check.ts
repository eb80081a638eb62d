/**
 * What it costs a request to be asked who it comes from: from the begin of the check to its end, in
 * the server's own hooks, for tokens that were seen before, among as many sessions as are
 * remembered and many that have ended. The answers are checked before a figure is printed: a
 * student's own is read, another's is refused, and so is whoever's session was revoked.
 */
import { build } from "hdr-histogram-js";

import { defaultAccessLimits, type Identity } from "../api/access/contract.ts";
import { EndedSessions } from "../api/access/ended-sessions.ts";
import { guardRoutes } from "../api/access/guard.ts";
import { access as rules } from "../api/access/rules.ts";
import { Tickets } from "../api/access/tickets.ts";
import { apiOptions } from "../api/index.ts";
import { Connections } from "../api/limits/connections.ts";
import { newServer } from "../api/new-server.ts";
import { systemClock as clock } from "../bin/system-clock.ts";
import { memoryAccounts, memoryTokens } from "../connectors/accounts/index.ts";

const students = 5_000;
const endedOfOthers = 100_000;
const requests = 60_000;
const targetMs = 0.2;

const limits = { ...defaultAccessLimits, endedSessionsMax: endedOfOthers + students };
const ended = new EndedSessions({ clock, limits });
for (let at = 0; at < endedOfOthers; at += 1) ended.ended(`ended-${at}`, "revoked");
const sessions = {
  ageMs: 0,
  endOf: (id: string) => ended.endOf(id),
  ended: (id: string, how: "expired" | "revoked") => ended.ended(id, how),
  watch: (id: string, listener: (how: "expired" | "revoked") => void) => ended.watch(id, listener),
};
const tokens = memoryTokens({ clock, limits });
const access = { accounts: await memoryAccounts({}), tokens, sessions, limits, origins: [] };

const options = apiOptions();
const app = newServer({ options, connections: new Connections(options) });
const took = build({ highestTrackableValue: 10_000_000_000 });
const began = new WeakMap<object, bigint>();
let measuring = false;
app.addHook("onRequest", (request, _, done) => {
  began.set(request, process.hrtime.bigint());
  done();
});
app.addHook("onSend", (request, _reply, payload, done) => {
  // A refusal is sent by the check itself.
  tell(request);
  done(null, payload);
});
guardRoutes(app, { deps: { access, clock }, tickets: new Tickets({ clock, limits }) });
app.addHook("onRequest", (request, _, done) => {
  tell(request);
  done();
});
app.get("/students/:id", { config: { access: rules.ownInPath } }, () => ({ found: true }));

function tell(request: object): void {
  const at = began.get(request);
  if (at === undefined) return;
  began.delete(request);
  if (measuring) took.recordValue(Number(process.hrtime.bigint() - at));
}

interface Student extends Identity {
  readonly token: string;
}

async function student(at: number): Promise<Student> {
  const identity = {
    sessionId: `session-${at}`,
    subject: `student-${at}`,
    role: "student",
    expiresAtMs: clock.nowMs() + limits.sessionMs,
  } as const;
  return { ...identity, token: await tokens.issue(identity) };
}

const all = await Promise.all(Array.from({ length: students }, (_, at) => student(at)));
const revoked = all.filter((_, at) => at % 10 === 0);

const ask = async (of: Student, id: string): Promise<number> => {
  const headers = { authorization: `Bearer ${of.token}` };
  return (await app.inject({ url: `/students/${id}`, headers })).statusCode;
};

const expectStatus = (status: number, expected: number, what: string): void => {
  if (status !== expected) throw new Error(`${what} was answered ${status}, not ${expected}.`);
};

for (const one of all) expectStatus(await ask(one, one.subject), 200, "A student's own");
for (const { sessionId } of revoked) ended.ended(sessionId, "revoked");
measuring = true;
for (let at = 0; at < requests; at += 1) {
  const of = all[(at * 7_919) % students] as Student;
  const isRevoked = Number(of.subject.slice("student-".length)) % 10 === 0;
  const own = at % 5 !== 0;
  const status = await ask(of, own ? of.subject : "somebody-else");
  expectStatus(status, isRevoked ? 401 : own ? 200 : 403, own ? "His own" : "Another's");
}
if (took.totalCount !== requests) throw new Error(`${took.totalCount} checks were measured.`);
await app.close();

const ms = (percentile: number): string =>
  (took.getValueAtPercentile(percentile) / 1_000_000).toFixed(4);
console.log(`requests  ${requests} of ${students} sessions, ${endedOfOthers} others have ended`);
console.log(`check     p50 ${ms(50)} ms, p99 ${ms(99)} ms, p99.9 ${ms(99.9)} ms`);
console.log(`target    p99 below ${targetMs} ms`);
if (Number(ms(99)) >= targetMs) process.exitCode = 1;
