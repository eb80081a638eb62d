import { PostgresAssignment } from "../../connectors/postgres/assignment/index.ts";
import { makePool } from "../../connectors/postgres/pool.ts";

/** A process that has partitions until it is killed; told the database, the consumer, and the lease. */
const [url = "", consumer = "", leaseMs = ""] = process.argv.slice(2);
const pool = makePool({ url, name: "member child" });
const assignment = new PostgresAssignment({ pool, leaseMs: Number(leaseMs), heartbeatMs: 100 });
await assignment.join(consumer, 4);
process.stdout.write("joined\n");
