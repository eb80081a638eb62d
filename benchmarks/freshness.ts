/**
 * From a registration's commit to its delivery on the event stream, at 500 registrations/s. The
 * clock starts at the recorded time that the answer tells (the database's, on this machine, taken
 * just before the commit) and stops when a listener has the update that contains it, by position.
 * Checked before a figure is printed: every registration was delivered.
 */
import { measureFreshness } from "./_freshness.ts";
import { measuredInstance, offerModules } from "./_instance.ts";

const perSecond = 500;
const target = { p50Ms: 50, p99Ms: 250 };

await using instance = await measuredInstance();
const codes = await offerModules(instance, { modules: 20, capacity: 1_000_000 });
const { httpUrl } = instance;
const { fromCommit } = await measureFreshness({ httpUrl, codes, perSecond, warmUpSeconds: 3 });
console.log(
  `commit to event stream at ${perSecond} registrations/s, ${fromCommit} ` +
    `(targets: p50 below ${target.p50Ms}, p99 below ${target.p99Ms})`,
);
