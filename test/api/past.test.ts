import { describe, expect, it } from "vitest";

import { offerModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { row, serverOfTest } from "./server.ts";

const minuteMs = 60_000;

/** Ada registers at minute 1, Bob at minute 2, Ada withdraws at minute 3; it is minute 10. */
async function yearbook() {
  const { app, campus } = await serverOfTest();
  const { history } = campus;
  const startMs = history.nowMs;
  const module = { code: "MA101", title: "Algebra", capacity: 2, feeCents: 0 };
  const times = { opensAt: null, closesAt: null, updatedAt: 0 };
  await campus.catalogue({ ...module, ...times });
  history.must(offerModule(row));
  history.nowMs = startMs + minuteMs;
  await campus.catalogue({ ...module, ...times, title: "Algebra I" });
  const ada = history.must(register({ moduleCode: "MA101", studentId: "ada" }));
  history.nowMs = startMs + 2 * minuteMs;
  await campus.catalogue({ ...module, ...times, code: "PH1", title: "Physics" });
  const bob = history.must(register({ moduleCode: "MA101", studentId: "bob" }));
  history.nowMs = startMs + 3 * minuteMs;
  history.must(withdraw({ registrationId: ada.registrationId }));
  history.nowMs = startMs + 10 * minuteMs;
  const ask = async (url: string, minute: number, query: Record<string, string> = {}) => {
    const at = new Date(startMs + minute * minuteMs).toISOString();
    const response = await app.inject({ url, query: { ...query, at } });
    return { status: response.statusCode, body: response.json<Body>() };
  };
  return { ask, ada: ada.registrationId, bob: bob.registrationId };
}

interface Body {
  readonly code?: string;
  readonly title?: string;
  readonly status?: string;
  readonly next?: string | null;
  readonly modules?: readonly { readonly moduleCode: string; readonly title: string }[];
  readonly registrations?: readonly { readonly studentId: string; readonly status: string }[];
}

const students = ({ body }: { body: Body }) =>
  body.registrations?.map(({ studentId, status }) => `${studentId} ${status}`);

describe("queries with at", () => {
  it("give a module as its table had it then", async () => {
    const { ask } = await yearbook();
    expect((await ask("/modules/MA101", 0.5)).body).toMatchObject({ title: "Algebra" });
    expect((await ask("/modules/MA101", 1)).body).toMatchObject({ title: "Algebra I" });
    expect(await ask("/modules/PH1", 1.5)).toMatchObject({
      status: 404,
      body: { code: "module-unknown" },
    });
  });

  it("list the modules that there were then", async () => {
    const { ask } = await yearbook();
    const codes = async (minute: number) =>
      (await ask("/modules", minute)).body.modules?.map(({ moduleCode }) => moduleCode);
    expect(await codes(-1)).toEqual([]);
    expect(await codes(1.9)).toEqual(["MA101"]);
    expect(await codes(2)).toEqual(["MA101", "PH1"]);
  });

  it("give a registration as it stood then", async () => {
    const { ask, ada } = await yearbook();
    const url = `/registrations/${ada}`;
    expect(await ask(url, 0.9)).toMatchObject({ status: 404 });
    expect((await ask(url, 2.9)).body.status).not.toBe("cancelled");
    expect((await ask(url, 3)).body).toMatchObject({ status: "cancelled" });
  });

  it("give a student's registrations and a module's roster as they were then", async () => {
    const { ask } = await yearbook();
    expect(students(await ask("/students/ada/registrations", 0))).toEqual([]);
    expect(students(await ask("/students/ada/registrations", 5))).toEqual(["ada cancelled"]);
    const roster = "/modules/MA101/registrations";
    expect(students(await ask(roster, 1))).toHaveLength(1);
    expect(students(await ask(roster, 3))).toHaveLength(2);
    const cancelled = await ask(roster, 3, { status: "cancelled" });
    expect(students(cancelled)).toEqual(["ada cancelled"]);
  });

  it("page through a list of the past", async () => {
    const { ask } = await yearbook();
    const roster = "/modules/MA101/registrations";
    const first = await ask(roster, 3, { limit: "1" });
    expect(students(first)).toHaveLength(1);
    const rest = await ask(roster, 3, { limit: "1", cursor: first.body.next ?? "" });
    expect(students(rest)).toEqual([expect.stringMatching(/^bob /)]);
    expect(rest.body.next).toBeNull();
  });

  it.each(["/modules", "/modules/MA101", "/registrations/x", "/students/ada/registrations"])(
    "refuse times that are not settled: %s",
    async (url) => {
      const { ask } = await yearbook();
      expect(await ask(url, 11)).toMatchObject({ status: 400, body: { code: "at-in-future" } });
      expect(await ask(url, 10)).toMatchObject({ status: 409, body: { code: "at-not-settled" } });
      const response = await ask(url, 1, {});
      expect(response.status).not.toBe(500);
    },
  );
});
