import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";

import { offeringInstance, query, untilState } from "./rebuild-instance.ts";
import { ask } from "./refold-instance.ts";
import { RefoldProcess, until } from "./refold-process.ts";

/** More than a shadow is behind when it is close enough to be compared. */
const modules = 2_500;

/**
 * Lets no generation flush while its number is locked: then a fill stands in its middle.
 */
async function gateOn(database: string) {
  await query(
    database,
    `create function hold_at_gate() returns trigger language plpgsql as $$
     begin
       perform pg_advisory_xact_lock_shared(77, new.generation);
       return new;
     end $$;
     create trigger gate before update on refold.positions for each row
     when (old.next_offset is distinct from new.next_offset) execute function hold_at_gate()`,
  );
  const client = new Client({ connectionString: database });
  await client.connect();
  onTestFinished(() => client.end());
  return {
    close: (generation: number) => client.query("select pg_advisory_lock(77, $1)", [generation]),
    open: (generation: number) => client.query("select pg_advisory_unlock(77, $1)", [generation]),
  };
}

/** An instance with a history that takes a fill, and a gate that fills stand still at. */
async function instanceWithGate() {
  const instance = await offeringInstance();
  const { database, folder, http } = instance;
  await query(
    database,
    `insert into catalogue.modules (code, title, capacity, fee_cents)
     select 'M-' || n, 'Module', 10, 0 from generate_series(1, ${modules}) n`,
  );
  const counted = `select count(*)::int as n from read."seat-availability__g1"`;
  await until(
    async () => (await query(database, counted)).rows[0]?.n >= modules || undefined,
    60_000,
    () => "all modules on offer",
  );
  const conducting = (): RefoldProcess =>
    new RefoldProcess(["rebuild", "seat-availability", "--yes", "--data", folder], {}, "nothing");
  const told = async (id: string) => (await ask(`${http}/admin/rebuilds/${id}`)).body;
  return { ...instance, conducting, told, gate: await gateOn(database) };
}

type Gated = Awaited<ReturnType<typeof instanceWithGate>>;

/** A command that conducts a rebuild, and stands in the middle of its fill. */
async function standing({ gate, conducting }: Gated, generation: number): Promise<RefoldProcess> {
  await gate.close(generation);
  const command = conducting();
  await command.printed(new RegExp(`filling: generation ${generation} beside`));
  return command;
}

const blocked = `select from pg_locks where locktype = 'advisory' and classid = 77 and not granted`;

const untilBlocked = ({ database }: Gated): Promise<true> =>
  until(
    async () => ((await query(database, blocked)).rowCount ?? 0) > 0 || undefined,
    20_000,
    () => "a flush that stands at the gate",
  );

test("a rebuild in the middle of its fill is paused and resumed, left by Ctrl-C to a worker, and given up", async () => {
  const system = await instanceWithGate();
  const { gate, rebuild, told, http, database } = system;

  const paused = await standing(system, 2);
  await untilBlocked(system);
  expect(await rebuild("pause", "1")).toMatchObject({
    code: 0,
    out: "rebuild 1 filling, paused\n",
  });
  await gate.open(2);
  await until(
    async () => {
      const { progress } = await told("1");
      return (progress as { waiting?: string } | null)?.waiting === "It is paused." || undefined;
    },
    20_000,
    () => "told that it is paused",
  );
  expect(await told("1")).toMatchObject({ state: "filling", wish: "pause" });
  const resumed = await rebuild("resume", "1");
  expect(resumed, resumed.err).toMatchObject({ code: 0 });
  expect(resumed.out).toContain("rebuild 1 swapped: generation 2 serves");
  expect(await paused.ended).toMatchObject({ code: 0, err: "" });

  const left = await standing(system, 3);
  await untilBlocked(system);
  left.child.kill("SIGINT");
  await gate.open(3);
  expect(await left.ended).toMatchObject({ code: 130, err: "" });
  // What the gate held may be all of the fill, and on a busy machine done before the signal is heard.
  expect(left.out).toMatch(/Rebuild 2 is (filling|proving), and a running worker goes on with it/);
  await untilState(() => http, "2", "swapped");

  const given = await standing(system, 4);
  await untilBlocked(system);
  const abandoning = rebuild("abandon", "3");
  await until(
    async () => (await told("3"))["wish"] === "abandon" || undefined,
    20_000,
    () => "the wish to abandon it",
  );
  await gate.open(4);
  const abandoned = await abandoning;
  expect(abandoned, abandoned.err).toMatchObject({ code: 0 });
  expect(abandoned.out).toContain("rebuild 3 abandoned");
  const { code, out } = await given.ended;
  expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining("is abandoned") });
  const tables = `select from pg_tables where tablename = 'seat-availability__g4'`;
  await until(
    async () => (await query(database, tables)).rowCount === 0 || undefined,
    30_000,
    () => "the shadow's table gone",
  );
});
