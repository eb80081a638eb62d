import { expect, test } from "vitest";

import { Findings } from "../../bin/doctor/finding.ts";
import { lookAtPostgres } from "../../bin/doctor/postgres.ts";
import type { CaptureKind } from "../../bin/servers.ts";
import { debeziumSlots } from "../../bin/system/debezium.ts";
import { application } from "../../bin/system/definitions.ts";

const server = {
  version: 170_000,
  wal_level: "logical",
  slots_max: 10,
  slots: 2,
  senders_max: 10,
  keep_mb: "64",
  may_replicate: true,
  may_create: true,
};

/** Answers as a server does whose slots were cut off; it can't be asked for that in a shared one. */
async function findingsOf(capture: CaptureKind) {
  const lost = (slot: string) => ({
    slot,
    database: "refold",
    plugin: "pgoutput",
    active: false,
    walStatus: "lost",
    confirmed: null,
    keptBytes: null,
  });
  const query = async (text: string, values: readonly unknown[] = []) => {
    const [names] = values as [string[]?];
    if (text.includes("server_version_num")) return { rows: [server] };
    if (text.includes("pg_publication")) return { rows: names?.map((name) => ({ name })) };
    if (text.includes("wal_status")) return { rows: names?.map(lost) };
    return { rows: [] };
  };
  const found = new Findings("postgres");
  await lookAtPostgres(found, { pool: { query } as never, capture, definitions: application });
  return found.list.filter(({ what }) => what.includes("is lost"));
}

test("each of Debezium's lost slots is mended by refold connectors apply alone", async () => {
  const found = await findingsOf("debezium");
  expect(found.map(({ what }) => what)).toEqual(
    debeziumSlots(application).map((name) => `replication slot ${name} is lost`),
  );
  for (const { state, fix } of found) {
    expect(state).toBe("fault");
    expect(fix).toMatch(/^Run refold connectors apply: it makes the slot anew/);
  }
});

test("the embedded capture's lost slot is mended by refold capture repair", async () => {
  const [found] = await findingsOf("embedded");
  expect(found).toMatchObject({
    state: "fault",
    what: `replication slot ${application.slotName} is lost`,
    fix: expect.stringMatching(/^Run refold capture repair: it makes the slot anew/) as string,
  });
});
