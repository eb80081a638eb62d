/** A benchmark's program that behaves as `--as` says. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { onOwnPostgres } from "../../benchmarks/_own-postgres.ts";
import { tell, tellChecked } from "../../benchmarks/harness/tell.ts";

const { values } = parseArgs({ options: { as: { type: "string" }, file: { type: "string" } } });

const value = process.env["KAFKA_BROKERS"] === undefined ? 1 : 2;
tell({ name: "figure", unit: "events/s", value, better: "more", role: "measured" });
if (values.as !== "unchecked") tellChecked("rows equal");
if (values.as === "wrong") throw new Error("A row differs.");
if (values.as === "server") {
  await onOwnPostgres(async ({ pid }) => {
    await writeFile(values.file ?? "", String(pid));
    // So it can't stop what it has started.
    process.kill(process.pid, "SIGKILL");
  });
}
if (values.as === "endless") setInterval(() => undefined, 1_000);
