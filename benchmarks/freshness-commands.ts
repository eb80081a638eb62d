/**
 * From a registration's commit to its delivery on the event stream, where commands come over HTTP at a
 * steady rate. The
 * clock starts at the recorded time that the answer tells (the database's, on this machine, taken
 * just before the commit) and stops when a listener has the update that contains it, by position.
 * Checked before a figure is printed: every registration was delivered.
 */
import { parseArgs } from "node:util";

import { measureFreshness, tellFreshness } from "./_freshness.ts";
import { measuredInstance, nobodyPutOff, offerModules } from "./_instance.ts";

const { values } = parseArgs({
  options: {
    perSecond: { type: "string", default: "500" },
    seconds: { type: "string", default: "10" },
  },
  // Also --data, which names an instance that runs already.
  strict: false,
});

await using instance = await measuredInstance(["--limit", ...nobodyPutOff]);
const codes = await offerModules(instance, { modules: 20, capacity: 1_000_000 });
const { httpUrl } = instance;
const perSecond = Number(values.perSecond);
const load = { httpUrl, codes, perSecond, warmUpSeconds: 3, seconds: Number(values.seconds) };
tellFreshness(await measureFreshness(load));
