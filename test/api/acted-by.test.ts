import { describe, expect, it } from "vitest";

import { guardedServer, sessionOf } from "./access-of-test.ts";
import { serverOfTest } from "./server.ts";

const reason = "the seats look wrong";
const rebuild = { projection: "seat-availability", reason };
const order = { letters: { all: true }, reason };

/** A guarded server with a rebuild and a dead letter, asked by an admin. */
async function adminStage() {
  const server = await guardedServer();
  server.letters.store.add([server.letters.capacity("MA101", 20)]);
  const { headers, identity } = await sessionOf(server, "admin");
  const send = (method: "POST" | "PUT", url: string, payload: object) =>
    server.app.inject({ method, url, payload, headers });
  return { ...server, identity, send };
}

/** Every act that is recorded with a name. */
const acts = [
  ["POST", "/admin/rebuilds", rebuild],
  ["POST", "/admin/rebuilds/1/pause", { reason }],
  ["POST", "/admin/rebuilds/1/resume", { reason }],
  ["POST", "/admin/rebuilds/1/abandon", { reason }],
  ["POST", "/admin/rebuilds/1/undo", { reason }],
  ["POST", "/admin/dead-letters/redrive", order],
  ["POST", "/admin/dead-letters/redrive", { ...order, dryRun: true }],
  ["POST", "/admin/dead-letters/discard", order],
  ["PUT", "/admin/dead-letters/1/value", { value: { moduleCode: "MA101", capacity: 30 }, reason }],
] as const;

describe("who acts", () => {
  it.each(acts)("is refused to be named another than is signed in: %s %s %j", async (...act) => {
    const [method, url, payload] = act;
    const { send } = await adminStage();
    const refused = await send(method, url, { ...payload, by: "somebody" });
    expect(refused.statusCode).toBe(403);
    expect(refused.json()).toMatchObject({ code: "forbidden" });
  });

  it("is who is signed in, for rebuilds and what is wished of them", async () => {
    const { send, identity } = await adminStage();
    const started = await send("POST", "/admin/rebuilds", rebuild);
    expect(started.json()).toMatchObject({ by: identity.subject });
    const named = { reason, by: identity.subject };
    const paused = await send("POST", String(started.headers["location"]) + "/pause", named);
    expect(paused.statusCode).toBe(202);
    expect(paused.json()).toMatchObject({
      asked: { by: identity.subject },
    });
  });

  it("is who is signed in, for edits and orders of dead letters", async () => {
    const { send, identity } = await adminStage();
    const value = { moduleCode: "MA101", capacity: 30 };
    const edited = await send("PUT", "/admin/dead-letters/1/value", { value, reason });
    expect(edited.json()).toMatchObject({ edit: { by: identity.subject } });
    const ordered = await send("POST", "/admin/dead-letters/discard", order);
    expect(ordered.json()).toMatchObject({ by: identity.subject });
  });

  it("is who they say on a server that asks nobody who he is", async () => {
    const { app } = await serverOfTest();
    const payload = { ...rebuild, by: "somebody" };
    const started = await app.inject({ method: "POST", url: "/admin/rebuilds", payload });
    expect(started.json()).toMatchObject({ by: "somebody" });
  });
});
