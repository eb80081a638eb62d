/**
 * Registration day from open loop: arrivals are those of a Poisson process, settled beforehand, and
 * wait for nobody's answer; a latency begins when its request was due. Every request carries a
 * session's token and an Idempotency-Key, half of the modules have a fee that is paid by cards of
 * several moods, and some students withdraw: all of that runs beside the registrations that are
 * counted. Checked before a figure is printed, from the log, the answers and the provider's books:
 * nothing is oversold, lost, doubled or charged twice.
 */
import { parseArgs } from "node:util";

import { measuredInstance, queryRows } from "./_instance.ts";
import { processSeconds, treeSeconds } from "./_processor-time.ts";
import { assertProved, offeredTo, sendCrowd, storesOf, tokensOf } from "./_surge-crowd.ts";

const target = { perSecond: 1_000, p99Ms: 500 };

const { values } = parseArgs({
  strict: false,
  options: {
    students: { type: "string", default: "10000" },
    "per-second": { type: "string", default: String(target.perSecond) },
  },
});
const students = Number(values["students"]);
const perSecond = Number(values["per-second"]);
const warmUpStudents = Math.ceil(students / 5);

const access = ["--auth", "on", "--sign-ins", "100000"];
await using instance = await measuredInstance([...access, "--limit", "holdMs=15000"]);
await using stores = await storesOf(instance);
const tokens = await tokensOf(students, stores);
const common = { instance, tokens, perSecond };

const [postmaster] = await queryRows<{ pid: number }>(
  instance,
  "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::integer as pid",
);
const used = () => ({
  driver: process.cpuUsage(),
  server: processSeconds(instance.pid) ?? Number.NaN,
  postgres: treeSeconds(postmaster?.pid ?? 0) ?? Number.NaN,
});

const warmUp = await sendCrowd({
  ...common,
  students: warmUpStudents,
  modules: await offeredTo(warmUpStudents, stores, "W"),
  seed: 1,
});
const modules = await offeredTo(students, stores, "");
const before = used();
const began = performance.now();
const { crowd, wishes, troubles, tally } = await sendCrowd({
  ...common,
  students,
  modules,
  seed: 2,
});
const seconds = (performance.now() - began) / 1_000;
const after = used();
await assertProved(stores, [warmUp.crowd, crowd]);

const { latencies, told } = crowd;
const driver = process.cpuUsage(before.driver);
const each = (of: number): string => `${((of * 1_000_000) / wishes).toFixed(0)} µs`;
const percent = (of: number): string => latencies.percentile(of).toFixed(0);
const refused = [...told.refused].map(([code, n]) => `${code} ${n}`).join(", ");
console.log(
  `${students} students, ${wishes} wishes for 20 modules at ${perSecond}/s, ` +
    `${told.paid.size} cards, ${told.withdrawn.size} withdrawals, ${seconds.toFixed(1)} s in all`,
);
console.log(`  accepted ${told.registered.size}; refused: ${refused}`);
console.log(`  put off (429, 503) ${troubles.putOff}, broken connections ${troubles.broken}`);
console.log(
  `  processor time of a wish and all that follows it: server ${each(after.server - before.server)}, ` +
    `Postgres ${each(after.postgres - before.postgres)}, ` +
    `driver ${each((driver.user + driver.system) / 1_000_000)}`,
);
console.log(`  answers to registrations (target: p99 of settled below ${target.p99Ms}):`);
for (const line of tally.lines()) console.log(`    ${line}`);
console.log(
  `  from due to settled, coming again included, ms: ` +
    `p50 ${percent(50)}, p99 ${percent(99)}, most ${percent(100)}`,
);
console.log(
  `${Math.round(crowd.settledPerSecond)} registrations/s answered ` +
    `(target: at least ${target.perSecond}), none oversold, lost, doubled or charged twice`,
);
