import { makePool } from "../../connectors/postgres/index.ts";
import { Conductor } from "../../engine/rebuild/conductor.ts";
import type { RebuildProbe } from "../../engine/rebuild/crash-points.ts";
import { board } from "../engine/seats.ts";
import { environmentOnPostgres } from "./postgres-environment.ts";

/**
 * Conducts a rebuild of the board, as a process of its own:
 *
 *     node conducting-process.ts <database URL> <rebuild> [<point>]
 *
 * It kills itself at the point, with what is half done there and nothing cleaned up. Otherwise it
 * says in which state the rebuild has ended, and nothing where somebody else conducts it.
 */
const [, , url = "", id = "", deadlyPoint] = process.argv;

const probe: RebuildProbe = {
  at: (point) => {
    if (point === deadlyPoint) process.kill(process.pid, "SIGKILL");
  },
};

const pool = makePool({ url, name: "conducting process" });
// A dead conductor's lease and hold are waited for.
const limits = { leaseMs: 600, holdMs: 1_000, standMs: 900 };
const { environment } = await environmentOnPostgres({ pool, url, limits });
const conductor = new Conductor({ environment: { ...environment, probe }, projection: board });
const record = await conductor.conduct(BigInt(id), new AbortController().signal);
process.stdout.write(record?.state ?? "");
await environment.log[Symbol.asyncDispose]();
await pool.end();
