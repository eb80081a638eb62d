import { join } from "node:path";

import { expect, test } from "vitest";

import { Embedded } from "../../bin/embedded/index.ts";
import { offerModule } from "../../processors/catalogue/index.ts";
import { register, withdraw } from "../../processors/seats/index.ts";
import { registrations } from "../../projections/registrations/index.ts";
import { seatAvailability } from "../../projections/seat-availability/index.ts";
import { firstRegistrations, firstSeats } from "./first-versions.ts";
import { nextVersion } from "./next-version.ts";
import { temporaryFolder, until } from "./refold-process.ts";

type Row = Readonly<Record<string, unknown>> | undefined;

const offer = {
  moduleCode: "M1",
  title: "A module",
  capacity: 7,
  feeCents: 0,
  opensAt: null,
  closesAt: null,
};

/** A folder in which the version before has served, with one seat taken. */
async function servedFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), "data");
  await using domain = await Embedded.start({ folder, projections: [seatAvailability] });
  expect(await domain.execute(offerModule(offer))).toMatchObject({ outcome: "accepted" });
  const taken = await domain.execute(register({ moduleCode: "M1", studentId: "s1" }));
  expect(taken).toMatchObject({ outcome: "accepted" });
  await domain.settled();
  return folder;
}

const rowOf = async (domain: Embedded): Promise<Row> => {
  const { result } = await domain.reader.get("seat-availability", "M1");
  return result;
};

const swapped = (domain: Embedded): Promise<true> =>
  until(
    async () => {
      const [last] = await domain.rebuilds.list({ limit: 1 });
      return last?.state === "swapped" ? true : undefined;
    },
    30_000,
    () => "a rebuild that is swapped in",
  );

test("a new version serves what the old one has built, and by policy is rebuilt and swapped in by itself", async () => {
  const folder = await servedFolder();
  await using domain = await Embedded.start({ folder, projections: [nextVersion] });
  expect(await rowOf(domain)).toMatchObject({ capacity: 7, confirmed: 1 });
  await swapped(domain);
  expect(await rowOf(domain)).toMatchObject({ capacity: 7, confirmed: 1, left: 6 });
  await domain.execute(register({ moduleCode: "M1", studentId: "s2" }));
  await domain.settled();
  expect(await rowOf(domain)).toMatchObject({ confirmed: 2, left: 5 });
  const [record] = await domain.rebuilds.list({ limit: 1 });
  expect(record).toMatchObject({
    request: { version: nextVersion.version, by: "new-version", accept: true },
  });
  expect(record?.proof).toMatchObject({
    liveVersion: seatAvailability.version,
    shadowVersion: nextVersion.version,
    changed: 0,
  });
});

test("a new version that waits for an operator is swapped in when it is asked for and accepted", async () => {
  const folder = await servedFolder();
  await using domain = await Embedded.start({
    folder,
    projections: [nextVersion],
    newVersions: "manual",
  });
  await domain.execute(register({ moduleCode: "M1", studentId: "s2" }));
  // Nobody has the code that would bring what serves up to date.
  expect(await rowOf(domain)).toMatchObject({ confirmed: 1 });
  expect(await domain.rebuilds.list({ limit: 1 })).toEqual([]);
  expect(await domain.rebuild(nextVersion, { reason: "what is left" })).toMatchObject({
    outcome: "started",
  });
  const proved = await until(
    async () => {
      const [last] = await domain.rebuilds.list({ limit: 1 });
      return last?.state === "proved" ? last : undefined;
    },
    30_000,
    () => "a proof",
  );
  expect(await rowOf(domain)).toMatchObject({ confirmed: 1 });
  await domain.rebuilds.wish(proved.id, "run", { accept: true, by: "an operator" });
  await swapped(domain);
  await domain.settled();
  expect(await rowOf(domain)).toMatchObject({ confirmed: 2, left: 5 });
});

test("read models from before there were lines are rebuilt beside what serves, with the same rows", async () => {
  const folder = join(await temporaryFolder(), "data");
  const ids: string[] = [];
  {
    await using domain = await Embedded.start({
      folder,
      projections: [firstSeats, firstRegistrations],
    });
    await domain.execute(offerModule({ ...offer, feeCents: 100 }));
    for (const studentId of ["s1", "s2"]) {
      const result = await domain.execute(register({ moduleCode: "M1", studentId }));
      if (result.outcome === "accepted") ids.push(result.answer.registrationId);
    }
    await domain.execute(withdraw({ registrationId: ids[0] ?? "" }));
    await domain.settled();
  }
  await using domain = await Embedded.start({
    folder,
    projections: [seatAvailability, registrations],
  });
  const one = async () => (await domain.reader.get(registrations.name, ids[1] ?? "")).result;
  expect(await one()).toMatchObject({ status: "held", feeCents: 100, holdExpiresAt: null });
  const records = await until(
    async () => {
      const last = await domain.rebuilds.list({ limit: 2 });
      return last.filter(({ state }) => state === "swapped").length === 2 ? last : undefined;
    },
    30_000,
    () => "two rebuilds that are swapped in",
  );
  for (const { proof } of records) {
    expect(proof).toMatchObject({ liveVersion: 1, shadowVersion: 2, changed: 0 });
  }
  expect(await rowOf(domain)).toMatchObject({ capacity: 7, held: 1, confirmed: 0 });
  const held = await one();
  expect(held).toMatchObject({ status: "held", feeCents: 100, waitingSince: null });
  expect(held?.["holdExpiresAt"]).toEqual(expect.any(Number));
});
