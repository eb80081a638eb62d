import { describe, expect, it } from "vitest";

import type { AccessLimits } from "../../api/access/contract.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { guardedServer, type GuardedServer, passwords, sessionOf } from "./access-of-test.ts";
import { realClock } from "./real-clock.ts";
import { row } from "./server.ts";

interface Opened {
  readonly token: string;
  readonly sessionId: string;
}

const ada = { studentId: "ada", password: passwords.ada };
const olga = { user: "olga", password: passwords.olga };

const signIn = ({ app }: Pick<GuardedServer, "app">, payload: object) =>
  app.inject({ method: "POST", url: "/sessions", payload });

async function signedIn(server: GuardedServer, payload: object): Promise<Opened> {
  const response = await signIn(server, payload);
  expect(response.statusCode).toBe(201);
  return response.json<Opened>();
}

const bearer = ({ token }: Pick<Opened, "token">) => ({ authorization: `Bearer ${token}` });

describe("POST /sessions", () => {
  it("opens a session whose token lets a student at what is his own", async () => {
    const server = await guardedServer();
    const response = await signIn(server, ada);
    expect(response.statusCode).toBe(201);
    expect(response.headers["cache-control"]).toBe("no-store");
    const opened = response.json<Opened>();
    expect(opened).toMatchObject({ subject: "ada", role: "student" });
    const url = "/students/ada/registrations";
    const own = await server.app.inject({ url, headers: bearer(opened) });
    expect(own.statusCode).toBe(200);
  });

  it("gives another session each time, and both are open", async () => {
    const server = await guardedServer();
    const [first, second] = [await signedIn(server, ada), await signedIn(server, ada)];
    expect(first.sessionId).not.toBe(second.sessionId);
    const { headers } = await sessionOf(server, "operator");
    const listed = await server.app.inject({ url: "/sessions", headers });
    const ids = listed.json<{ sessions: { sessionId: string }[] }>().sessions;
    expect(ids.map(({ sessionId }) => sessionId).sort()).toEqual(
      [first.sessionId, second.sessionId].sort(),
    );
  });

  it("refuses a wrong password and an unknown account alike, and records nothing", async () => {
    const server = await guardedServer();
    const wrong = await signIn(server, { ...ada, password: "guessed" });
    const unknown = await signIn(server, { studentId: "nobody", password: "guessed" });
    const asUser = await signIn(server, { user: "ada", password: passwords.ada });
    expect(wrong.statusCode).toBe(401);
    expect(wrong.json()).toMatchObject({ code: "sign-in-refused" });
    for (const response of [unknown, asUser]) expect(response.body).toBe(wrong.body);
    expect(server.campus.history.facts).toEqual([]);
  });

  it.each([
    ["both names", { ...ada, user: "olga" }],
    ["no name", { password: "x" }],
    ["no password", { user: "olga", studentId: "ada" }],
    ["a name that is no text", { user: 7, password: "x" }],
  ])("takes no body with %s", async (_, payload) => {
    const response = await signIn(await guardedServer(), payload);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: "validation" });
  });

  it.each<[string, Partial<AccessLimits>, object]>([
    ["account", { signInsPerAccountBurst: 2 }, { studentId: "bob", password: "x" }],
    ["address", { signInsPerAddress: 2 }, { studentId: "eve", password: "x" }],
  ])("is refused for a while after too many tries of one %s", async (of, limits, other) => {
    const server = await guardedServer({ limits });
    const wrong = { ...ada, password: "guessed" };
    for (let at = 0; at < 2; at += 1) expect((await signIn(server, wrong)).statusCode).toBe(401);
    // The right password makes no difference: whoever guesses learns nothing.
    const response = await signIn(server, ada);
    expect(response.statusCode).toBe(429);
    expect(response.json()).toMatchObject({ code: "too-many-sign-ins" });
    expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
    expect((await signIn(server, other)).statusCode).toBe(of === "account" ? 401 : 429);
  });

  it("is refused as busy while too many passwords are being checked", async () => {
    const limits = { passwordChecksMax: 1, passwordChecksWaitingMax: 1 };
    const server = await guardedServer({ limits });
    const responses = await Promise.all([1, 2, 3, 4].map(() => signIn(server, ada)));
    const busy = responses.filter(({ statusCode }) => statusCode === 503);
    expect(busy).toHaveLength(2);
    expect(busy[0]?.json()).toMatchObject({ code: "sign-in-busy" });
    expect(responses.filter(({ statusCode }) => statusCode === 201)).toHaveLength(2);
  });
});

describe("a session", () => {
  const read = (server: GuardedServer, headers: Readonly<Record<string, string>>) =>
    server.app.inject({ url: "/students/ada/registrations", headers });
  const signOut = (server: GuardedServer, headers: Readonly<Record<string, string>>) =>
    server.app.inject({ method: "DELETE", url: "/sessions/current", headers });

  it("ends at once when its owner signs out; twice is as once", async () => {
    const server = await guardedServer();
    const headers = bearer(await signedIn(server, ada));
    const first = await signOut(server, headers);
    expect(first.statusCode).toBe(200);
    expect(await read(server, headers).then((response) => response.json())).toMatchObject({
      code: "session-revoked",
    });
    const again = await signOut(server, headers);
    expect([again.statusCode, again.body]).toEqual([200, first.body]);
    const names = server.campus.history.facts.map(({ type }) => type.name);
    expect(names).toEqual(["SessionCreated", "SessionRevoked"]);
    expect(server.campus.history.facts.at(-1)).toMatchObject({ event: { revokedBy: "ada" } });
  });

  it("ends when an operator says so, and stands in the list no more", async () => {
    const server = await guardedServer();
    const opened = await signedIn(server, ada);
    const headers = bearer(await signedIn(server, olga));
    const url = `/sessions/${opened.sessionId}`;
    const ended = await server.app.inject({ method: "DELETE", url, headers });
    expect(ended.json()).toEqual({ sessionId: opened.sessionId, status: "ended" });
    expect(server.campus.history.facts.at(-1)).toMatchObject({
      event: { studentId: "ada", reason: "BY_OPERATOR", revokedBy: "olga" },
    });
    expect((await read(server, bearer(opened))).statusCode).toBe(401);
    const listed = await server.app.inject({ url: "/sessions", headers });
    expect(listed.body).not.toContain(opened.sessionId);
    const unknown = await server.app.inject({ method: "DELETE", url: "/sessions/none", headers });
    expect(unknown.json()).toMatchObject({ code: "session-unknown" });
  });

  it("is over by its own time, as far as clocks may differ", async () => {
    let aheadMs = 0;
    const clock = { ...realClock, nowMs: () => Date.now() + aheadMs };
    const server = await guardedServer({ clock, limits: { skewMs: 30_000 } });
    const expiresAtMs = Date.now() + 10_000;
    const [seen, unseen] = [
      await sessionOf(server, "student", { expiresAtMs }),
      await sessionOf(server, "student", { expiresAtMs }),
    ];
    aheadMs = 30_000;
    expect((await read(server, seen.headers)).statusCode).toBe(200);
    aheadMs = 50_000;
    for (const { headers } of [seen, unseen]) {
      const response = await read(server, headers);
      expect(response.json()).toMatchObject({ code: "session-expired" });
      expect(response.headers["www-authenticate"]).toContain('error="invalid_token"');
    }
  });

  it("is not needed to be told that one is needed", async () => {
    const response = await read(await guardedServer(), {});
    expect(response.json()).toMatchObject({ code: "session-required" });
    expect(response.headers["www-authenticate"]).toBe('Bearer realm="refold"');
  });

  it("whose token is longer than any is refused before it is read", async () => {
    const server = await guardedServer({ limits: { tokenBytesMax: 64 } });
    const { headers } = await sessionOf(server, "student");
    expect((await read(server, headers)).json()).toMatchObject({ code: "token-invalid" });
  });

  it("writes nothing while ended sessions aren't known, but reads, and can be ended", async () => {
    const server = await guardedServer({ limits: { staleMs: 1_000 } });
    server.campus.history.must(offerModule(row));
    const headers = bearer(await signedIn(server, ada));
    const payload = { moduleCode: "MA101", studentId: "ada" };
    const register = () =>
      server.app.inject({ method: "POST", url: "/registrations", headers, payload });
    for (const ageMs of [1_001, undefined]) {
      server.sessions.ageMs = ageMs;
      const refused = await register();
      expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([503, "1"]);
      expect(refused.json()).toMatchObject({ code: "sessions-stale" });
      expect((await read(server, headers)).statusCode).toBe(200);
      expect((await server.app.inject({ url: "/readyz" })).statusCode).toBe(503);
    }
    server.sessions.ageMs = 1_000;
    expect((await register()).statusCode).toBe(201);
    server.sessions.ageMs = undefined;
    expect((await signOut(server, headers)).statusCode).toBe(200);
  });

  it("gets no answer that is kept under the key of somebody else's", async () => {
    const server = await guardedServer();
    server.campus.history.must(offerModule(row));
    const [own, other] = [
      await sessionOf(server, "student"),
      await sessionOf(server, "student", { subject: "bob" }),
    ];
    const payload = { moduleCode: "MA101", studentId: "ada" };
    const made = await server.app.inject({
      method: "POST",
      url: "/registrations",
      headers: own.headers,
      payload,
    });
    const { registrationId } = made.json<{ registrationId: string }>();
    const withdraw = (headers: Readonly<Record<string, string>>) =>
      server.app.inject({
        method: "DELETE",
        url: `/registrations/${registrationId}`,
        headers: { ...headers, "idempotency-key": "k-1" },
      });
    expect((await withdraw(own.headers)).statusCode).toBe(200);
    expect((await withdraw(other.headers)).json()).toMatchObject({ code: "registration-unknown" });
    const replayed = await withdraw(own.headers);
    expect(replayed.headers["idempotency-replayed"]).toBe("true");
  });
});
