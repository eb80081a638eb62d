import { describe, expect, it } from "vitest";

import { offerModule } from "../../processors/catalogue/index.ts";
import { offerSeats } from "../../processors/seats/index.ts";
import { row, serverOfTest } from "./server.ts";

/** A module of one seat, taken by ada; bob and cat wait for it, in this order. */
async function lineOfTwo() {
  const server = await serverOfTest();
  const { app, campus } = server;
  campus.history.must(offerModule({ ...row, capacity: 1 }));
  const register = (studentId: string, waitlist = true) =>
    app.inject({
      method: "POST",
      url: "/registrations",
      payload: { moduleCode: "MA101", studentId, waitlist },
    });
  const idOf = async (studentId: string) =>
    (await register(studentId)).json<{ registrationId: string }>().registrationId;
  const [ada, bob, cat] = [await idOf("ada"), await idOf("bob"), await idOf("cat")];
  const offer = async () => {
    campus.history.must(offerSeats({ moduleCode: "MA101" }));
    await campus.project();
  };
  const remove = (id: string) => app.inject({ method: "DELETE", url: `/registrations/${id}` });
  const find = async (id: string) => (await app.inject({ url: `/registrations/${id}` })).json();
  return { ...server, register, offer, remove, find, ada, bob, cat };
}

describe("POST /registrations for a full module", () => {
  it("answers 202 to who would wait, with the same id however often it is asked", async () => {
    const { register, bob } = await lineOfTwo();
    const again = await register("bob");
    expect(again.statusCode).toBe(202);
    const body = { registrationId: bob, moduleCode: "MA101", studentId: "bob", status: "waiting" };
    expect(again.json()).toEqual(body);
    expect(again.headers.location).toBe(`/registrations/${bob}`);
    expect(again.headers["refold-position"]).toBeTypeOf("string");
  });

  it("refuses who would not", async () => {
    const { register } = await lineOfTwo();
    const refused = await register("dan", false);
    expect(refused.statusCode).toBe(409);
    expect(refused.json()).toMatchObject({ code: "module-full" });
  });

  it("gives the offered seat to who asks again, under the id of the place in line", async () => {
    const { register, offer, remove, ada, bob } = await lineOfTwo();
    await remove(ada);
    await offer();
    const accepted = await register("bob");
    expect(accepted.statusCode).toBe(201);
    expect(accepted.json()).toMatchObject({ registrationId: bob, status: "completed" });
  });

  it("refuses an offer that is asked for too late", async () => {
    const { campus, register, offer, remove, ada } = await lineOfTwo();
    await remove(ada);
    await offer();
    campus.history.nowMs += 24 * 3_600_000;
    const late = await register("bob");
    expect(late.statusCode).toBe(409);
    expect(late.json()).toMatchObject({ code: "offer-expired" });
  });
});

describe("GET /registrations/{id} of one in line", () => {
  it("tells the place, and the offer when there is one", async () => {
    const { offer, remove, find, ada, bob, cat } = await lineOfTwo();
    expect(await find(ada)).toMatchObject({ status: "completed", place: null });
    expect(await find(bob)).toMatchObject({ status: "waiting", place: 1, offerExpiresAt: null });
    expect(await find(cat)).toMatchObject({ status: "waiting", place: 2, feeCents: null });
    await remove(ada);
    await offer();
    const offerExpiresAt = "2026-01-01T00:15:00.000Z";
    expect(await find(bob)).toMatchObject({ status: "offered", place: 0, offerExpiresAt });
    expect(await find(cat)).toMatchObject({ status: "waiting", place: 1 });
  });
});

describe("DELETE /registrations/{id} of one in line", () => {
  it("leaves the line, twice is as once, and the next moves up", async () => {
    const { remove, find, bob, cat } = await lineOfTwo();
    const once = await remove(bob);
    const twice = await remove(bob);
    expect(once.statusCode).toBe(200);
    expect(once.json()).toMatchObject({ registrationId: bob, status: "left", reason: null });
    expect(twice.body).toBe(once.body);
    expect(await find(bob)).toMatchObject({ status: "left", place: null });
    expect(await find(cat)).toMatchObject({ place: 1 });
  });
});

describe("GET /modules/{code}/waiting-list", () => {
  it("pages through the line in its order", async () => {
    const { app, bob, cat } = await lineOfTwo();
    const url = "/modules/MA101/waiting-list?limit=1";
    const first = (await app.inject({ url })).json<{ places: object[]; next: string }>();
    expect(first.places).toEqual([
      {
        place: 1,
        registrationId: bob,
        studentId: "bob",
        state: "waiting",
        waitingSince: "2026-01-01T00:00:00.000Z",
        offerExpiresAt: null,
      },
    ]);
    const cursor = encodeURIComponent(first.next);
    const second = await app.inject({ url: `${url}&cursor=${cursor}` });
    expect(second.json()).toMatchObject({ places: [{ place: 2, registrationId: cat }] });
  });

  it("offers several seats at once, in order, when the capacity is raised", async () => {
    const { app, campus, offer } = await lineOfTwo();
    campus.history.must(offerModule({ ...row, capacity: 3 }));
    await offer();
    const line = await app.inject({ url: "/modules/MA101/waiting-list" });
    expect(line.json()).toMatchObject({
      places: [
        { studentId: "bob", state: "offered", place: 0 },
        { studentId: "cat", state: "offered", place: 0 },
      ],
      next: null,
    });
  });
});
