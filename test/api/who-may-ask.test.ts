import { request as send } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, test } from "vitest";

import { subjectRegistry } from "../../connectors/registry/index.ts";
import { MemoryRegistryStore } from "../../engine/memory/registry-store.ts";
import { fact } from "../../engine/decision/definition.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { paymentIdOf, requestPayment } from "../../processors/payments/index.ts";
import { EnrolmentReversed } from "../../schemas/index.ts";
import { enrolmentEvents } from "../../schemas/topics.ts";
import { guardedServer, type GuardedServer, sessionOf } from "./access-of-test.ts";
import { row } from "./server.ts";

/**
 * Who may ask for what, as the domain's table has it; written apart from the routes, which have
 * their own. A route that isn't named here fails the test.
 */
type Who = "anyone" | "signed-in" | "own" | "viewer" | "operator" | "admin" | "provider";

const table: Readonly<Record<string, Who>> = {
  "get /": "anyone",
  "get /page/{file}": "anyone",
  "get /page/settings": "anyone",
  "get /modules": "anyone",
  "get /modules/{code}": "anyone",
  "get /modules/{code}/availability": "anyone",
  "get /registration-updates": "anyone",
  "get /ws/registration-updates": "anyone",
  "post /registrations": "own",
  "get /registrations/{id}": "own",
  "delete /registrations/{id}": "own",
  "get /students/{id}/registrations": "own",
  "get /modules/{code}/registrations": "operator",
  "get /modules/{code}/waiting-list": "operator",
  "post /payments/{id}/card": "own",
  "get /payments/{id}": "own",
  "get /registrations/{id}/payments": "own",
  "post /payments/webhooks/{provider}": "provider",
  "post /enrolments": "own",
  "get /enrolments/{id}": "own",
  "post /enrolments/{id}/resubmit": "own",
  "get /students/{id}/enrolments": "own",
  "post /sessions": "anyone",
  "delete /sessions/current": "signed-in",
  "delete /sessions/{id}": "operator",
  "get /sessions": "operator",
  "post /tickets": "signed-in",
  "get /.well-known/jwks.json": "anyone",
  "get /admin/status": "viewer",
  "get /live": "viewer",
  "get /ws/live": "viewer",
  "get /admin/rebuilds": "viewer",
  "get /admin/rebuilds/{id}": "viewer",
  "get /admin/rebuilds/{id}/events": "viewer",
  "post /admin/rebuilds": "admin",
  "post /admin/rebuilds/{id}/pause": "admin",
  "post /admin/rebuilds/{id}/resume": "admin",
  "post /admin/rebuilds/{id}/abandon": "admin",
  "post /admin/rebuilds/{id}/undo": "admin",
  "get /admin/dead-letters": "viewer",
  "get /admin/dead-letters/groups": "viewer",
  "get /admin/dead-letters/orders": "viewer",
  "get /admin/dead-letters/orders/{id}": "viewer",
  "get /admin/dead-letters/{id}": "viewer",
  "put /admin/dead-letters/{id}/value": "operator",
  "post /admin/dead-letters/redrive": "operator",
  "post /admin/dead-letters/discard": "operator",
  "delete /admin/dead-letters/orders/{id}": "operator",
  "get /admin/traces/{id}": "viewer",
  "get /admin/why/{projection}/{key}": "viewer",
  "get /livez": "anyone",
  "get /readyz": "anyone",
  "get /metrics": "anyone",
  "get /openapi.json": "anyone",
  "get /docs": "anyone",
};

const registryReads =
  /^(get|post \/registry\/compatibility|post \/registry\/subjects\/\{subject\}$)/;

/** The schema registry: viewers read, admins write; Confluent's look-ups by POST are reads. */
const registryRule = (route: string): Who => (registryReads.test(route) ? "viewer" : "admin");

const whoOf = (route: string): Who | undefined =>
  / \/registry(\/|$)/.test(route) ? registryRule(route) : table[route];

/** How whoever asks is known. */
const callers = [
  "nobody",
  "garbage",
  "expired",
  "revoked",
  "ada",
  "bob",
  "viewer",
  "operator",
  "admin",
] as const;

type Caller = (typeof callers)[number];
type Verdict = "let in" | 401 | 403 | "not found";

const ranks = ["viewer", "operator", "admin"];

function expected(route: string, caller: Caller): Verdict {
  const who = whoOf(route);
  if (who === "anyone" || who === "provider") return "let in";
  // Signing out twice is as once.
  if (caller === "revoked" && route === "delete /sessions/current") return "let in";
  if (caller === "nobody" || caller === "garbage") return 401;
  if (caller === "expired" || caller === "revoked") return 401;
  if (who === "signed-in") return "let in";
  if (who !== "own") return ranks.indexOf(caller) >= ranks.indexOf(who ?? "none") ? "let in" : 403;
  if (caller === "viewer") return 403;
  if (caller !== "bob") return "let in";
  // Of what is only an id, others are not even told that it is there.
  return /^post \/(registrations|enrolments)$|^get \/students/.test(route) ? 403 : "not found";
}

/** What belongs to ada. Each route that ends something gets one of its own. */
async function propertyOfAda({ campus }: GuardedServer, app: Sender) {
  const offered = (code: string, feeCents = 0) =>
    campus.history.must(offerModule({ ...row, moduleCode: code, feeCents, capacity: 500 }));
  offered("FREE");
  offered("MA101");
  offered("PAID", 7_000);
  const headers = await app.headersOf("ada");
  const register = async (moduleCode: string): Promise<{ registrationId: string }> => {
    const { body } = await app.send("post", "/registrations", {
      headers,
      body: { moduleCode, studentId: "ada" },
    });
    return JSON.parse(body) as { registrationId: string };
  };
  const { registrationId } = await register("FREE");
  const paid = await register("PAID");
  const paymentId = paymentIdOf("REGISTRATION", paid.registrationId);
  campus.history.must(
    requestPayment({
      paymentId,
      studentId: "ada",
      subjectType: "REGISTRATION",
      subjectId: paid.registrationId,
      registrations: [
        { registrationId: paid.registrationId, moduleCode: "PAID", amountCents: 7_000 },
      ],
      expiresAt: campus.history.nowMs + 900_000,
    }),
  );
  const begun = await app.send("post", "/enrolments", {
    headers: { ...headers, "idempotency-key": "begun" },
    body: { studentId: "ada", moduleCodes: ["MA101"] },
  });
  const { enrolmentId } = JSON.parse(begun.body) as { enrolmentId: string };
  campus.history.record([
    fact(enrolmentEvents, EnrolmentReversed, {
      enrolmentId,
      studentId: "ada",
      attempt: 1,
      reason: "module-full",
    }),
  ]);
  await campus.project();
  return { registrationId, paymentId, enrolmentId };
}

type Property = Awaited<ReturnType<typeof propertyOfAda>>;

function pathOf(path: string, property: Property): string {
  const ids: Readonly<Record<string, string>> = {
    "/registrations": property.registrationId,
    "/payments": property.paymentId,
    "/enrolments": property.enrolmentId,
    "/students": "ada",
    "/sessions": "none",
  };
  const first = /^\/[^/]*/.exec(path)?.[0] ?? "";
  return path
    .replace("{id}", encodeURIComponent(ids[first] ?? "999"))
    .replace("{code}", "MA101")
    .replace("{file}", "none.js")
    .replace("{provider}", "sandbox")
    .replaceAll(/\{\w+\}/g, "1");
}

const bodies: Readonly<Record<string, object>> = {
  "post /registrations": { moduleCode: "MA101", studentId: "ada" },
  "post /enrolments": { studentId: "ada", moduleCodes: ["MA101"] },
  "post /payments/{id}/card": { token: "tok_ok" },
};

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | undefined;
}

type Sender = Awaited<ReturnType<typeof senderTo>>;

/** Reads streams' heads alone. */
async function senderTo(server: GuardedServer) {
  await server.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.app.server.address() as AddressInfo;
  const cast: Record<string, Readonly<Record<string, string>>> = {
    nobody: {},
    garbage: { authorization: "Bearer not.a.token" },
    expired: (await sessionOf(server, "student", { expiresAtMs: Date.now() - 120_000 })).headers,
    ada: (await sessionOf(server, "student")).headers,
    bob: (await sessionOf(server, "student", { subject: "bob" })).headers,
    viewer: (await sessionOf(server, "viewer")).headers,
    operator: (await sessionOf(server, "operator")).headers,
    admin: (await sessionOf(server, "admin")).headers,
  };
  const gone = await sessionOf(server, "admin");
  server.sessions.ended(gone.identity.sessionId, "revoked");
  cast["revoked"] = gone.headers;
  return {
    headersOf: async (caller: Caller) => cast[caller] ?? {},
    send: (method: string, path: string, { headers = {}, body }: Sent) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const typed = text === undefined ? {} : { "content-type": "application/json" };
        const options = { host: "127.0.0.1", port, path, method: method.toUpperCase() };
        const asked = send({ ...options, headers: { ...headers, ...typed } }, (response) => {
          const status = response.statusCode ?? 0;
          if (response.headers["content-type"]?.startsWith("text/event-stream") === true) {
            resolve({ status, body: "" });
            asked.destroy();
            return;
          }
          let read = "";
          response.setEncoding("utf8");
          response.on("data", (part: string) => (read += part));
          response.on("end", () => resolve({ status, body: read }));
        });
        asked.on("error", reject);
        asked.end(text);
      }),
  };
}

function verdictOf(route: string, { status, body }: { status: number; body: string }): Verdict {
  // Signing in has refusals of its own, a provider's signature too.
  const isAccess = body.includes('"session-') || body.includes('"token-invalid"');
  if (status === 401 && isAccess) return 401;
  if (status === 403) return 403;
  const own = /\{id\}/.test(route) && whoOf(route) === "own";
  return status === 404 && own ? "not found" : "let in";
}

test("each route lets in whom the domain's table names, and nobody else", async () => {
  const registry = subjectRegistry(new MemoryRegistryStore());
  const server = await guardedServer({ deps: { registry } });
  const sender = await senderTo(server);
  const property = await propertyOfAda(server, sender);
  const routes = server.routes.filter((route) => !route.startsWith("head "));
  expect(routes.filter((route) => whoOf(route) === undefined)).toEqual([]);
  expect(Object.keys(table).filter((route) => !routes.includes(route))).toEqual([]);

  const wrong: string[] = [];
  let keys = 0;
  const ask = async (route: string, caller: Caller) => {
    const [method = "", path = ""] = route.split(" ");
    const key = { "idempotency-key": `k-${(keys += 1)}` };
    const headers = { ...(await sender.headersOf(caller)), ...key };
    const body = bodies[route] ?? (method === "post" || method === "put" ? {} : undefined);
    const answer = await sender.send(method, pathOf(path, property), { headers, body });
    const verdict = verdictOf(route, answer);
    if (verdict === expected(route, caller)) return;
    wrong.push(`${route} by ${caller}: ${verdict} (${answer.status} ${answer.body})`);
  };
  const [reads, writes] = [routes.filter(isRead), routes.filter((route) => !isRead(route))];
  for (const route of reads) await Promise.all(callers.map((caller) => ask(route, caller)));
  for (const route of orderOf(writes)) for (const caller of callers) await ask(route, caller);
  expect(wrong).toEqual([]);
}, 60_000);

const isRead = (route: string): boolean => route.startsWith("get ");

/** What ends something comes last. */
const orderOf = (routes: readonly string[]): readonly string[] => [
  ...routes.filter((route) => !route.startsWith("delete ")),
  ...routes.filter((route) => route.startsWith("delete ")),
];
